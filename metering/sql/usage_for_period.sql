-- Sum a deployment's usage of each billing kind over a period.
--
-- parameters  deployment bigint · since timestamptz · until timestamptz: half-open
-- returns     a row for each kind that has any: kind · quantity
-- locks       nothing
SELECT resource_kind AS kind, sum(qty) AS quantity
FROM usage_records
WHERE deployment_id = %(deployment)s::bigint
  AND period_start >= %(since)s::timestamptz AND period_start < %(until)s::timestamptz
GROUP BY resource_kind
