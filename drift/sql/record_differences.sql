-- Write the differences of a batch, and close the rows of what no longer differs.
-- parameters  differences jsonb: [{resource_id, kind, field, expected, actual, cause}], sorted by resource and field
--             in_doubt jsonb: [{resource_id, field}], whose rows stay as they are
--             after, until bigint · at timestamptz · actor text
-- returns     change (opened, unchanged, ignored, reverted, stale), drift_id, resource_id, field; expected, actual: of what
--             was opened
-- locks       rows of cloud_drift, which `lock_present.sql` has locked in their order
WITH difference AS MATERIALIZED (
    -- JSON's null comes out of a record as SQL's.
    SELECT resource_id, kind, field, coalesce(expected, 'null') AS expected, coalesce(actual, 'null') AS actual, cause
    FROM jsonb_to_recordset(%(differences)s::jsonb)
        AS difference(resource_id bigint, kind text, field text, expected jsonb, actual jsonb, cause text)
),
in_doubt AS MATERIALIZED (
    SELECT resource_id, field FROM jsonb_to_recordset(%(in_doubt)s::jsonb) AS doubt(resource_id bigint, field text)
),
written AS (
    INSERT INTO cloud_drift AS present (
        resource_id, kind, field, expected, actual, cause, status, detected_at, last_seen_at,
        resolved_at, resolved_by, ignore_rule_id
    )
    SELECT difference.resource_id, difference.kind, difference.field, difference.expected, difference.actual,
           difference.cause, CASE WHEN rule.id IS NULL THEN 'open' ELSE 'ignored' END,
           %(at)s::timestamptz, %(at)s::timestamptz,
           CASE WHEN rule.id IS NOT NULL THEN %(at)s::timestamptz END, coalesce(rule.created_by, ''), rule.id
    FROM difference
    JOIN cloud_resources AS resource ON resource.id = difference.resource_id
    LEFT JOIN LATERAL (
        -- include: rule_of.sql
    ) AS rule ON true
    ORDER BY difference.resource_id, difference.field
    ON CONFLICT (resource_id, field) WHERE status IN ('open', 'ignored') DO UPDATE SET
        expected = excluded.expected,
        actual = excluded.actual,
        cause = excluded.cause,
        status = excluded.status,
        last_seen_at = greatest(present.last_seen_at, excluded.last_seen_at),
        (resolved_at, resolved_by) = (
            SELECT resolved.at, resolved.by
            FROM (VALUES
                (true, present.resolved_at, present.resolved_by),
                (false, excluded.resolved_at, excluded.resolved_by)
            ) AS resolved(stays, at, by)
            WHERE resolved.stays = (present.ignore_rule_id IS NOT DISTINCT FROM excluded.ignore_rule_id)
        ),
        ignore_rule_id = excluded.ignore_rule_id
    RETURNING CASE
                  WHEN new.status = 'open' AND old.status IS DISTINCT FROM 'open' THEN 'opened'
                  WHEN new.status = 'ignored' AND old.status IS DISTINCT FROM 'ignored' THEN 'ignored'
                  ELSE 'unchanged'
              END AS change,
              new.id, new.resource_id, new.field, new.expected, new.actual
),
closed AS (
    UPDATE cloud_drift AS present
    SET (status, resolved_by) = (
            SELECT closing.status, closing.by
            FROM (
                SELECT 'reverted' AS status, saga.requested_by AS by, 1 AS rank
                FROM saga_runs AS saga
                WHERE saga.id = present.revert_saga_id AND saga.status = 'completed' AND present.status = 'open'
                UNION ALL
                SELECT 'stale', %(actor)s::text, 2
            ) AS closing
            ORDER BY closing.rank
            LIMIT 1
        ),
        resolved_at = %(at)s::timestamptz
    FROM cloud_resources AS resource
    WHERE resource.id = present.resource_id
        AND present.status IN ('open', 'ignored')
        AND present.resource_id > %(after)s::bigint AND present.resource_id <= %(until)s::bigint
        -- A later sweep has seen it since.
        AND present.last_seen_at <= %(at)s::timestamptz
        AND NOT EXISTS (
            SELECT FROM difference
            WHERE difference.resource_id = present.resource_id AND difference.field = present.field
        )
        AND NOT EXISTS (
            SELECT FROM in_doubt
            WHERE in_doubt.resource_id = present.resource_id AND in_doubt.field = present.field
        )
        AND present.resource_id NOT IN (
            -- include: worked_on.sql
        )
        AND NOT (
            -- include: unobserved_since_rollback.sql
        )
    RETURNING new.status AS change, new.id, new.resource_id, new.field
)
SELECT change, id AS drift_id, resource_id, field,
       CASE WHEN change = 'opened' THEN expected::text END AS expected,
       CASE WHEN change = 'opened' THEN actual::text END AS actual
FROM written
UNION ALL
SELECT change, id, resource_id, field, NULL, NULL FROM closed
