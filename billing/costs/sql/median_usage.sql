-- Find the median use of each billing kind, among the quotes of one plan version's subscriptions in a month.
-- parameters  month date · plan_version bigint
-- returns     kind, median   (a quote that has no line of the kind used none of it)
-- locks       nothing
WITH quoted AS MATERIALIZED (
    SELECT id, lines FROM margin_revenues WHERE month = %(month)s::date AND plan_version_id = %(plan_version)s::bigint
),
used AS (
    SELECT quoted.id, line.code AS kind, sum(line.used::numeric) AS used
    FROM quoted
    CROSS JOIN LATERAL jsonb_to_recordset(quoted.lines) AS line(code text, used text)
    WHERE line.used IS NOT NULL
    GROUP BY quoted.id, line.code
)
SELECT kind.kind, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(used.used, 0))::numeric, 6) AS median
FROM (SELECT DISTINCT kind FROM used) AS kind
CROSS JOIN quoted
LEFT JOIN used ON used.id = quoted.id AND used.kind = kind.kind
GROUP BY kind.kind
