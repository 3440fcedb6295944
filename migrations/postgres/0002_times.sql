-- Whether a field's value, or one that its list holds, is a string that stands as `comparison` says ('$gt', '$gte', '$lt',
-- '$lte') to a time: as times where it is one (src/domain/times.ts), else by code points. `bound` is the time as it is
-- written, `bound_time` its milliseconds since 1970.
CREATE FUNCTION stands_to_time(field jsonb, comparison text, bound text, bound_time double precision) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $body$
DECLARE
  -- Year, month, day, hour, minute, second, fraction, the zone's sign, hours and minutes.
  pattern CONSTANT text := '^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?:T([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])([.][0-9]+)?)?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?)?$';
  longest CONSTANT integer := 64;
  -- The calendar repeats itself after so many years, and `date` knows no year 0.
  cycle CONSTANT integer := 400;
  list jsonb := CASE jsonb_typeof(field) WHEN 'array' THEN field ELSE jsonb_build_array(field) END;
  bound_has_offset CONSTANT boolean := bound ~ '[+-].{5}$' AND length(bound) > 10;
  value text;
  part text[];
  day date;
  at double precision;
  place double precision;
  holds boolean;
BEGIN
  FOR i IN 0 .. jsonb_array_length(list) - 1 LOOP
    CONTINUE WHEN jsonb_typeof(list -> i) <> 'string';
    value := list ->> i;
    at := NULL;
    -- Those that are written alike stand in the order of their times anyway.
    IF length(value) <= longest AND (bound_has_offset OR length(value) <> length(bound) OR (right(value, 1) = 'Z') <> (right(bound, 1) = 'Z') OR value ~ '[+-].{5}$' AND length(value) > 10) THEN
      part := regexp_match(value, pattern);
      IF part IS NOT NULL THEN
        day := make_date(part[1]::integer + cycle, part[2]::integer, 1) + (part[3]::integer - 1);
        IF extract(month FROM day) = part[2]::integer THEN
          at := (day - make_date(1970 + cycle, 1, 1)) * 86400000::double precision
            + (((coalesce(part[4], '0')::integer * 60 + coalesce(part[5], '0')::integer
                - (coalesce(part[9], '0')::integer * 60 + coalesce(part[10], '0')::integer) * CASE part[8] WHEN '-' THEN -1 ELSE 1 END) * 60
                + coalesce(part[6], '0')::integer)
              + coalesce(part[7], '0')::double precision) * 1000;
        END IF;
      END IF;
    END IF;
    place := CASE
      WHEN at IS NOT NULL THEN at - bound_time
      WHEN value COLLATE "C" < bound COLLATE "C" THEN -1
      WHEN value COLLATE "C" > bound COLLATE "C" THEN 1
      ELSE 0
    END;
    holds := CASE comparison WHEN '$gt' THEN place > 0 WHEN '$gte' THEN place >= 0 WHEN '$lt' THEN place < 0 ELSE place <= 0 END;
    IF holds THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$body$;
