-- Read fields of live resources without a desired state as they are now.
-- parameters  resource_ids bigint[] · fields jsonb: {kind: [field]}
-- returns     resource_id, spec: JSON's text, without the fields that a resource's row doesn't have
-- locks       nothing
SELECT resource.id AS resource_id, coalesce(live.spec, '{}')::text AS spec
FROM cloud_resources AS resource
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(field, value) AS spec
    FROM jsonb_array_elements_text(coalesce(%(fields)s::jsonb -> resource.kind, '[]')) AS adopted (field)
    CROSS JOIN LATERAL (
        SELECT
            -- include: live_value.sql
            AS value
    ) AS known
    WHERE value IS NOT NULL
) AS live
WHERE resource.id = ANY (%(resource_ids)s::bigint[])
    AND resource.deleted_at IS NULL
    AND NOT EXISTS (SELECT FROM cloud_provisioned WHERE resource_id = resource.id)
ORDER BY resource.id
