-- Find resources that lived through a time that no span has: it is metered for nobody. A resource whose id came back for
-- another, made after the gap began, has none; nor has one whose creation the provider doesn't tell.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource)
-- locks       nothing
WITH ordered AS (
    SELECT resource_id, lower(during) AS since, upper(during) AS until,
           lag(upper(during)) OVER life AS former_end, lead(id) OVER life IS NULL AS is_last
    FROM resource_spans
    WINDOW life AS (PARTITION BY resource_id ORDER BY lower(during))
),
gap AS (
    SELECT resource_id, former_end AS since, ordered.since AS until
    FROM ordered
    JOIN cloud_resources AS resource ON resource.id = resource_id
    WHERE ordered.since > former_end AND provider_created_at <= former_end
    UNION ALL
    SELECT resource.id, ordered.until, NULL
    FROM cloud_resources AS resource
    LEFT JOIN ordered ON ordered.resource_id = resource.id AND is_last
    WHERE deleted_at IS NULL AND (ordered.resource_id IS NULL OR ordered.until IS NOT NULL)
)
SELECT 'resource' AS subject_kind, resource_id::text AS subject_key, 'resource:' || resource_id AS link,
       'spans from its first to its last hour' AS expected,
       'none from ' || coalesce(to_char(min(since) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'its first hour')
           || coalesce(' to ' || to_char(max(until) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), ' on') AS actual
FROM gap
GROUP BY resource_id
