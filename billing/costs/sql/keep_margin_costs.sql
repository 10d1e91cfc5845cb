-- Sum a month's daily costs by owner, kind and source into margin_costs, each day by its best source.
--
-- A month with billed costs has these alone, since they sum to its invoices. Any other has for each day what was reported,
-- or else accrued. A deployment's plan version is that of its last subscription with revenue in the month.
--
-- parameters  month, next_month date
-- returns     nothing; the row count says how many rows
-- locks       nothing; the caller holds the month's row of margin_months, and has stored its revenue
WITH day_cost AS MATERIALIZED (
    SELECT day, source, part, tenant_id, deployment_id, kind, amount, unpriced,
           CASE source WHEN 'billed' THEN 1 WHEN 'reported' THEN 2 ELSE 3 END AS place
    FROM daily_costs
    WHERE day >= %(month)s::date AND day < %(next_month)s::date
),
best AS (
    SELECT day, CASE WHEN min(min(place)) OVER () = 1 THEN 1 ELSE min(place) END AS place
    FROM day_cost
    GROUP BY day
),
version AS (
    SELECT DISTINCT ON (deployment_id) deployment_id, plan_version_id
    FROM margin_revenues
    WHERE month = %(month)s::date
    ORDER BY deployment_id, subscription_id DESC
)
INSERT INTO margin_costs (month, source, part, tenant_id, deployment_id, plan_version_id, kind, amount, unpriced, last_day)
SELECT %(month)s::date, source, part, tenant_id, day_cost.deployment_id, plan_version_id, kind, sum(amount),
       max(unpriced), max(day)
FROM day_cost
JOIN best USING (day, place)
LEFT JOIN version ON version.deployment_id = day_cost.deployment_id
GROUP BY source, part, tenant_id, day_cost.deployment_id, plan_version_id, kind
