-- Find tombstoned resources with a span that lasts on: what is gone is metered and charged.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource)
-- locks       nothing
SELECT 'resource' AS subject_kind, resource.id::text AS subject_key, 'resource:' || resource.id AS link,
       'no span after ' || to_char(deleted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS expected,
       'one to ' || coalesce(to_char(nullif(max(coalesce(upper(during), 'infinity')), 'infinity') AT TIME ZONE 'UTC',
                                     'YYYY-MM-DD HH24:MI'), 'today and on') AS actual
FROM resource_spans
JOIN cloud_resources AS resource ON resource.id = resource_id
WHERE deleted_at IS NOT NULL AND (upper_inf(during) OR upper(during) > deleted_at)
GROUP BY resource.id
