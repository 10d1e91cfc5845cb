-- Put the open rows that a rule covers under it, and open the ignored rows whose rule is over; one rule's alone.
-- parameters  rule_id bigint: the new rule, or the one that was ended · at timestamptz
-- returns     change (opened, ignored), drift_id, resource_id, field; expected, actual: JSON's text
-- locks       rows of cloud_drift, by resource and field
WITH present AS MATERIALIZED (
    SELECT drift.id
    FROM drift_ignore_rules AS rule
    JOIN cloud_drift AS drift ON drift.kind = rule.kind
        AND (drift.status = 'open' AND rule.field IN ('', drift.field) OR drift.ignore_rule_id = rule.id)
        AND drift.status IN ('open', 'ignored')
        AND (rule.resource_id IS NULL OR rule.resource_id = drift.resource_id)
    WHERE rule.id = %(rule_id)s::bigint
    ORDER BY drift.resource_id, drift.field
    FOR NO KEY UPDATE OF drift
),
moved AS (
    UPDATE cloud_drift AS difference
    SET status = CASE WHEN found.rule_id IS NULL THEN 'open' ELSE 'ignored' END,
        resolved_at = CASE WHEN found.rule_id IS NOT NULL THEN %(at)s::timestamptz END,
        resolved_by = coalesce(found.created_by, ''),
        ignore_rule_id = found.rule_id
    FROM (
        SELECT difference.id, rule.id AS rule_id, rule.created_by
        FROM present
        JOIN cloud_drift AS difference USING (id)
        JOIN cloud_resources AS resource ON resource.id = difference.resource_id
        LEFT JOIN LATERAL (
            -- include: rule_of.sql
        ) AS rule ON true
        -- A saga that puts the field back goes on with it.
        LEFT JOIN saga_runs AS saga ON saga.id = difference.revert_saga_id
            AND saga.status IN ('pending', 'running', 'waiting', 'compensating', 'failed')
        WHERE saga.id IS NULL
    ) AS found
    WHERE difference.id = found.id AND difference.ignore_rule_id IS DISTINCT FROM found.rule_id
    RETURNING new.status, new.id, new.resource_id, new.field, new.expected, new.actual
)
SELECT CASE status WHEN 'open' THEN 'opened' ELSE status END AS change, id AS drift_id, resource_id, field,
       expected::text AS expected, actual::text AS actual
FROM moved
