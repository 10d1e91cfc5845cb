-- Sum the usage of each billing kind of many deployments over the same days.
--
-- parameters  deployments bigint[] · since timestamptz · until timestamptz: half-open
-- returns     a row for each deployment and kind that has any: deployment · kind · quantity
-- locks       nothing
SELECT deployment_id AS deployment, resource_kind AS kind, sum(qty) AS quantity
FROM usage_records
-- One array, not a join of parts: for a large share of the fleet the planner reads the days with several workers.
WHERE deployment_id = ANY (%(deployments)s::bigint[])
  AND period_start >= %(since)s::timestamptz AND period_start < %(until)s::timestamptz
GROUP BY deployment_id, resource_kind
