-- Nothing is left in the older tables.

DROP TABLE old_reembedded;
DROP TABLE old_items;
DROP TABLE old_spaces;
