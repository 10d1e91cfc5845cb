-- Sum what deployments cost on days whose costs are of the same source.
--
-- parameters  deployments bigint[] · source text · days date[]
-- returns     a row for each deployment with costs: deployment · amount, in US dollars · unpriced, days of resources
--             without a list price, which are in no amount
-- locks       nothing
SELECT deployment_id AS deployment, sum(amount) AS amount, sum(unpriced) AS unpriced
FROM daily_costs
-- One source a statement, not a join with the days: a join is taken for one that leaves few rows, and then one
-- process adds up alone what several have read.
WHERE deployment_id = ANY (%(deployments)s::bigint[])
  AND source = %(source)s::text
  AND day = ANY (%(days)s::date[])
GROUP BY deployment_id
