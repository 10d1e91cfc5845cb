-- List what a completed simulation changes for each tenant, the largest differences first.
--
-- parameters  simulation bigint · completed text: the state of one with a result · most bigint
-- returns     a row for each tenant, at most so many: tenant · deployments · now, later, revenue · cost, null where
--             that of any month isn't known · unpriced, days of resources that are in no cost, null where they weren't
--             counted · crossing, deployments that cross into overage
-- locks       nothing
SELECT
    tenant_id AS tenant,
    count(DISTINCT deployment_id) AS deployments,
    sum(revenue_now) AS now,
    sum(revenue_then) AS later,
    CASE WHEN bool_and(cost IS NOT NULL) THEN sum(cost) END AS cost,
    sum(unpriced)::bigint AS unpriced,
    count(DISTINCT deployment_id) FILTER (WHERE crosses_into <> '{}') AS crossing
FROM plan_simulation_rows
WHERE simulation_id = (
    SELECT id FROM plan_simulations WHERE id = %(simulation)s::bigint AND status = %(completed)s::text
)
GROUP BY tenant_id
ORDER BY abs(sum(revenue_then) - sum(revenue_now)) DESC, tenant_id
LIMIT %(most)s::bigint
