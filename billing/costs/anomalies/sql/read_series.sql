-- Read the daily costs of every owner and kind whose cost of a day moved by at least `floor` within these days: the
-- others can't deviate, and they are most. Tax follows the rest, and isn't judged.
--
-- parameters  first date · until date, not included · floor numeric
-- returns     tenant_id, deployment_id, kind, source, day, amount   (by owner and kind, then day)
-- locks       nothing
WITH summed AS MATERIALIZED (
    SELECT source, tenant_id, deployment_id, kind, day, sum(amount) AS amount
    FROM daily_costs
    WHERE day >= %(first)s::date AND day < %(until)s::date AND part <> 'tax'
    GROUP BY source, tenant_id, deployment_id, kind, day
),
days AS (
    SELECT source, count(DISTINCT day) AS days FROM summed GROUP BY source
),
moved AS (
    SELECT summed.*,
           -- A day without a row cost nothing.
           max(amount) OVER subject - CASE WHEN count(*) OVER subject < days.days THEN least(min(amount) OVER subject, 0)
                                           ELSE min(amount) OVER subject END AS range
    FROM summed
    JOIN days USING (source)
    WINDOW subject AS (PARTITION BY source, tenant_id, deployment_id, kind)
),
judged AS (
    SELECT moved.*, max(range) OVER (PARTITION BY tenant_id, deployment_id, kind) AS widest
    FROM moved
)
SELECT tenant_id, deployment_id, kind, source, day, amount
FROM judged
WHERE widest >= %(floor)s::numeric
ORDER BY tenant_id NULLS FIRST, deployment_id NULLS FIRST, kind, day, source
