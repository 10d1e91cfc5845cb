-- Delete some of the usage of a kind that is older than its retention.
--
-- parameters  kind text · before timestamptz · most integer: rows a statement, so that none holds its locks for long
-- returns     nothing; the rows deleted are counted
-- locks       the records
DELETE FROM usage_records
WHERE id = ANY(ARRAY(
    SELECT id FROM usage_records
    WHERE period_start < %(before)s::timestamptz AND resource_kind = %(kind)s::text
    LIMIT %(most)s::integer
))
