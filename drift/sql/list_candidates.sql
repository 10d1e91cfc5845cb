-- List the fields of a batch of desired states that may differ: those whose JSON isn't the live value's to the letter.
-- parameters  after, until bigint: the batch's resources, after the one and up to the other
-- returns     resource_id, kind, field, expected, actual (as JSON's text)
-- locks       nothing
--
-- It narrows and doesn't decide: equal JSON is equal by any rule, and an unknown value isn't drift by any.
SELECT resource_id, kind, field, expected, actual
FROM (
    SELECT resource.id AS resource_id, resource.kind, resource.provider_id, resource.last_seen_at,
           desired.field, desired.expected::text AS expected, live.actual::text AS actual
    FROM cloud_provisioned AS provisioned
    JOIN cloud_resources AS resource ON resource.id = provisioned.resource_id
    CROSS JOIN LATERAL jsonb_each(
        CASE WHEN resource.deleted_at IS NULL THEN provisioned.spec ELSE '{"exists": true}' END
    ) AS desired (field, expected)
    CROSS JOIN LATERAL (
        SELECT
            -- include: live_value.sql
            AS actual
    ) AS live
    WHERE provisioned.resource_id > %(after)s::bigint AND provisioned.resource_id <= %(until)s::bigint
        AND resource.id > %(after)s::bigint AND resource.id <= %(until)s::bigint
        AND live.actual <> desired.expected
        AND (desired.field <> 'exists' OR resource.deleted_at IS NOT NULL)
    OFFSET 0  -- a fence: what follows is asked of the few that are left
) AS resource
WHERE resource_id NOT IN (
    -- include: worked_on.sql
)
AND NOT (
    -- include: unobserved_since_rollback.sql
)
ORDER BY resource_id, field
