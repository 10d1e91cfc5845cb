-- Lock the desired states of differences, and keep those that still differ by the values that were compared.
-- parameters  differences jsonb: [{resource_id, field, expected, actual}]
-- returns     resource_id, field
-- locks       rows of cloud_provisioned, by resource
--
-- A desired state that an operator or a saga changed meanwhile, a live value that a sync did: left to the next sweep.
WITH difference AS MATERIALIZED (
    -- JSON's null comes out of a record as SQL's.
    SELECT resource_id, field, coalesce(expected, 'null') AS expected, coalesce(actual, 'null') AS actual
    FROM jsonb_to_recordset(%(differences)s::jsonb)
        AS difference(resource_id bigint, field text, expected jsonb, actual jsonb)
),
-- Before the join: a row that had to be waited for is read anew, and only from its own table.
provisioned AS MATERIALIZED (
    SELECT resource_id, spec FROM cloud_provisioned
    WHERE resource_id IN (SELECT resource_id FROM difference)
    ORDER BY resource_id
    FOR NO KEY UPDATE
)
SELECT resource_id, field
FROM (
    SELECT difference.*, resource.kind, resource.provider_id, resource.last_seen_at,
        -- include: live_value.sql
        AS live
    FROM difference
    JOIN provisioned USING (resource_id)
    JOIN cloud_resources AS resource ON resource.id = difference.resource_id
    WHERE difference.field = 'exists' OR provisioned.spec -> difference.field = difference.expected
) AS resource
WHERE live = actual
    AND resource_id NOT IN (
        -- include: worked_on.sql
    )
    AND NOT (
        -- include: unobserved_since_rollback.sql
    )
