-- Find resources with two spans at one time: their hours are counted twice. The table's constraint refuses them; this
-- looks at what a restore or a dropped constraint may have let in.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource)
-- locks       nothing
WITH ordered AS (
    SELECT resource_id, lower(during) AS since, max(coalesce(upper(during), 'infinity')) OVER (
               PARTITION BY resource_id ORDER BY lower(during), id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS former_end
    FROM resource_spans
)
SELECT 'resource' AS subject_kind, resource_id::text AS subject_key, 'resource:' || resource_id AS link,
       'one span at a time' AS expected,
       'two from ' || to_char(min(since) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS actual
FROM ordered
WHERE since < former_end
GROUP BY resource_id
