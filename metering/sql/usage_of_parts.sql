-- Sum the usage of each billing kind over many deployments' days, each of its own.
--
-- parameters  deployments bigint[] · since timestamptz[] · until timestamptz[]: parts, half-open, of one length
-- returns     a row for each part and kind that has any: part, counted from 0 · kind · quantity
-- locks       nothing
SELECT part.number - 1 AS part, usage_records.resource_kind AS kind, sum(usage_records.qty) AS quantity
FROM unnest(%(deployments)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    WITH ORDINALITY AS part(deployment, since, until, number)
-- Each part is one range of the key's index, as a single deployment's is.
JOIN usage_records
    ON usage_records.deployment_id = part.deployment
    AND usage_records.period_start >= part.since AND usage_records.period_start < part.until
GROUP BY part.number, usage_records.resource_kind
