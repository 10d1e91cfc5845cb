-- Sum the usage of each billing kind over many deployments' days, each of its own.
--
-- parameters  deployments bigint[] · since timestamptz[] · until timestamptz[]: parts, half-open, of one length
-- returns     a row for each part and kind that has any: part, counted from 0 · kind · quantity
-- locks       nothing
SELECT part.number - 1 AS part, used.kind, used.quantity
FROM unnest(%(deployments)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    WITH ORDINALITY AS part(deployment, since, until, number)
-- Lateral, and summed within: each part is one range of the key's index, as a single deployment's is.
CROSS JOIN LATERAL (
    SELECT resource_kind AS kind, sum(qty) AS quantity
    FROM usage_records
    WHERE deployment_id = part.deployment AND period_start >= part.since AND period_start < part.until
    GROUP BY resource_kind
) AS used
