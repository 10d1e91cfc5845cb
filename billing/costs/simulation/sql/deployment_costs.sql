-- Sum what deployments cost in a month, each day by one source.
--
-- parameters  deployments bigint[] · days date[] with sources text[], of one length · first date · end date
-- returns     a row for each deployment that cost anything: deployment · amount, in US dollars
-- locks       nothing
SELECT cost.deployment_id AS deployment, sum(cost.amount) AS amount
FROM daily_costs AS cost
JOIN unnest(%(days)s::date[], %(sources)s::text[]) AS best(day, source)
    ON best.day = cost.day AND best.source = cost.source
WHERE cost.deployment_id = ANY (%(deployments)s::bigint[])
  AND cost.day >= %(first)s::date AND cost.day < %(end)s::date
GROUP BY cost.deployment_id
