-- Compute what one day's resources cost at list prices: their spans × the prices in force on that day.
--
-- DigitalOcean bills droplets per second since 2026 (by the hour before), at the monthly price / 672 hours, and no more
-- than the monthly price in a calendar month; switched off they cost the same. Whatever has a monthly price is computed
-- so. The cap counts all of a sku's hours of a resource in the month, whoever owned it; where it lives on, those until
-- the month's end. A month's cost is spread evenly over these hours, so no day of a long month is free.
--
-- parameters  day date
-- returns     nothing; the row count says how many rows
-- locks       nothing; the caller holds the day's row of cost_days
WITH bound AS MATERIALIZED (
    SELECT tstzrange(day, day + interval '1 day') AS of_day, tstzrange(month, month + interval '1 month') AS of_month
    FROM (
        SELECT %(day)s::date::timestamp AT TIME ZONE 'UTC' AS day,
               date_trunc('month', %(day)s::date::timestamp) AT TIME ZONE 'UTC' AS month
    ) AS asked
),
month_span AS MATERIALIZED (
    SELECT span.resource_id, span.sku, span.tenant_id, span.deployment_id, span.size_gb,
           extract(epoch FROM upper(span.during * of_month) - lower(span.during * of_month)) AS month_seconds,
           extract(epoch FROM upper(span.during * of_day) - lower(span.during * of_day)) AS day_seconds
    FROM bound
    JOIN resource_spans AS span ON span.during && of_month
),
capped AS (
    SELECT resource_id, sku, sum(month_seconds) AS month_seconds
    FROM month_span
    GROUP BY resource_id, sku
    HAVING count(day_seconds) > 0
),
day_span AS MATERIALIZED (
    SELECT month_span.resource_id, month_span.tenant_id, month_span.deployment_id, month_span.size_gb,
           month_span.day_seconds, capped.month_seconds, resource.kind, resource.region,
           coalesce(month_span.sku, '') AS sku
    FROM month_span
    JOIN capped ON capped.resource_id = month_span.resource_id AND coalesce(capped.sku, '') = coalesce(month_span.sku, '')
    JOIN cloud_resources AS resource ON resource.id = month_span.resource_id
    WHERE month_span.day_seconds IS NOT NULL
),
sold AS (  -- of a fleet's hundreds of thousands there are some hundreds to look up
    SELECT subject.*, price.unit, price.price, price.monthly_cap
    FROM (SELECT DISTINCT kind, sku, region FROM day_span) AS subject
    -- include: price_in_force.sql
),
cost AS (
    SELECT day_span.resource_id, day_span.tenant_id, day_span.deployment_id, day_span.kind, sold.price IS NULL AS is_unpriced,
           day_span.day_seconds
               * CASE WHEN sold.unit = 'gib_month' THEN coalesce(day_span.size_gb, 0) ELSE 1 END
               * coalesce(nullif(split_part(day_span.sku, ' x', 2), '')::numeric, 1)
               * least(sold.price / (672 * 3600), sold.monthly_cap / day_span.month_seconds) AS amount
    FROM day_span
    JOIN sold USING (kind, sku, region)
)
INSERT INTO daily_costs (day, source, part, tenant_id, deployment_id, kind, amount, resources, unpriced)
SELECT %(day)s::date, 'accrued', 'matched', tenant_id, deployment_id, kind, round(coalesce(sum(amount), 0), 10),
       count(DISTINCT resource_id), count(DISTINCT resource_id) FILTER (WHERE is_unpriced)
FROM cost
GROUP BY tenant_id, deployment_id, kind
