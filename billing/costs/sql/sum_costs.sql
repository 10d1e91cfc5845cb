-- Sum the rows of `keyed_line` by part and key, the largest `limit` of what is matched on their own, the others as one.
-- A part of other statements, which define `keyed_line`: part, key, name, amount, line_id. A line in several parts counts
-- in each row that has a part of it.
-- parameters  limit integer
-- returns     part, key, name, amount, line_count
-- locks       nothing
ranked AS (
    SELECT part, key, max(name) AS name, sum(amount) AS amount, count(DISTINCT line_id) AS line_count,
           part = 'matched'
               AND row_number() OVER (PARTITION BY part ORDER BY sum(amount) DESC, key, max(name)) > %(limit)s::integer AS is_beyond
    FROM keyed_line
    GROUP BY part, key, CASE WHEN key IS NULL THEN name END  -- without a key, the name tells them apart
)
SELECT part, key, name, amount, line_count FROM ranked WHERE NOT is_beyond
UNION ALL
SELECT 'others', NULL, '', sum(amount), sum(line_count)::bigint FROM ranked WHERE is_beyond HAVING count(*) > 0
ORDER BY part, amount DESC, key
