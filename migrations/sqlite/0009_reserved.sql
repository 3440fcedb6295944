-- Holds its number.
SELECT 1;
