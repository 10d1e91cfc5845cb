-- Sum one day's reported items by who owned their resources on that day.
-- parameters  day date · day_start, day_end timestamptz: its bounds
-- returns     nothing; the row count says how many rows
-- locks       nothing; the caller holds the day's row of cost_days
WITH line AS MATERIALIZED (
    SELECT id, resource_id, kind, false AS is_tax, amount, %(day_start)s::timestamptz AS started_at,
           %(day_end)s::timestamptz AS ended_at
    FROM reported_cost_items
    WHERE day = %(day)s::date
),
-- include: divide_by_owner.sql
dated AS (
    SELECT CASE WHEN resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part, tenant_id, deployment_id, kind,
           resource_id, amount
    FROM line_part
)
INSERT INTO daily_costs (day, source, part, tenant_id, deployment_id, kind, amount, resources, unpriced)
SELECT %(day)s::date, 'reported', part, tenant_id, deployment_id, kind, sum(amount), count(DISTINCT resource_id), 0
FROM dated
GROUP BY part, tenant_id, deployment_id, kind
