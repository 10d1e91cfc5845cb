-- Find desired states of resources that are gone: someone is promised, and perhaps pays for, what isn't there.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource)
-- locks       nothing
SELECT 'resource' AS subject_kind, resource.id::text AS subject_key, 'resource:' || resource.id AS link,
       resource.kind || ' ' || resource.name || ' lives, as version ' || spec_version || ' of its desired state has it'
           AS expected,
       'gone since ' || to_char(deleted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS actual
FROM cloud_provisioned
JOIN cloud_resources AS resource ON resource.id = resource_id
WHERE deleted_at IS NOT NULL
