-- Spread the lines of a month's invoices over the days of their hours, by who owned what they are about.
--
-- An owner's part of a line is spread evenly over the hours that were the owner's. Each day has the difference of two
-- running totals, rounded, so that the days sum to the part exactly. What is outside the month counts on its first or
-- last day; what no line has, credits say, is spread over its days.
--
-- parameters  invoices bigint[] · month date · next_month date · adjustments numeric
-- returns     nothing; the row count says how many rows
-- locks       nothing; the caller holds the days' rows of cost_days
-- include: part_lines_by_owner.sql
stretch AS (
    SELECT line_part.line_id, line_part.resource_id, line_part.kind, line_part.is_tax, line_part.tenant_id,
           line_part.deployment_id, line_part.amount,
           greatest(line_part.started_at, tenure.since) AS since, least(line_part.ended_at, tenure.until) AS until
    FROM line_part
    LEFT JOIN tenure ON tenure.resource_id = line_part.resource_id
        AND (tenure.tenant_id, tenure.deployment_id) IS NOT DISTINCT FROM (line_part.tenant_id, line_part.deployment_id)
        AND tenure.since < line_part.ended_at AND tenure.until > line_part.started_at
),
measured AS (
    SELECT stretch.*, extract(epoch FROM until - since) AS seconds,
           coalesce(sum(extract(epoch FROM until - since)) OVER (
               of_part ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS seconds_before,
           sum(extract(epoch FROM until - since)) OVER (PARTITION BY line_id, tenant_id, deployment_id) AS seconds_in_all
    FROM stretch
    WINDOW of_part AS (PARTITION BY line_id, tenant_id, deployment_id ORDER BY since)
),
spread AS (
    SELECT measured.*, day,
           greatest(0, extract(epoch FROM greatest(day_start, since) - since)) AS from_second,
           CASE WHEN day_start + interval '1 day' >= until THEN seconds
                ELSE extract(epoch FROM day_start + interval '1 day' - since) END AS to_second
    FROM measured
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', since, 'UTC'), date_trunc('day', until - interval '1 microsecond', 'UTC'), interval '1 day'
    ) AS each(day_start)
    CROSS JOIN LATERAL (
        SELECT least(greatest((day_start AT TIME ZONE 'UTC')::date, %(month)s::date), %(next_month)s::date - 1) AS day
    ) AS clamped
),
dated AS (
    SELECT day, CASE WHEN is_tax THEN 'tax' WHEN resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part,
           tenant_id, deployment_id, kind, resource_id,
           round(amount * (seconds_before + to_second) / seconds_in_all, 10)
               - round(amount * (seconds_before + from_second) / seconds_in_all, 10) AS amount
    FROM spread
    UNION ALL
    SELECT day::date, 'adjustments', NULL, NULL, 'adjustments', NULL,
           round(%(adjustments)s::numeric * number / days, 10) - round(%(adjustments)s::numeric * (number - 1) / days, 10)
    FROM generate_series(%(month)s::timestamp, %(next_month)s::timestamp - interval '1 day', interval '1 day')
        WITH ORDINALITY AS each(day, number)
    CROSS JOIN LATERAL (SELECT %(next_month)s::date - %(month)s::date AS days) AS length
    WHERE %(adjustments)s::numeric <> 0
)
INSERT INTO daily_costs (day, source, part, tenant_id, deployment_id, kind, amount, resources, unpriced)
SELECT day, 'billed', part, tenant_id, deployment_id, kind, sum(amount), count(DISTINCT resource_id), 0
FROM dated
GROUP BY day, part, tenant_id, deployment_id, kind
