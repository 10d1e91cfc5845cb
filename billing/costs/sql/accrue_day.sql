-- Compute what one day's resources cost at list prices: their spans × the prices in force on that day.
--
-- DigitalOcean bills droplets per second since 2026 (by the hour before), at the monthly price / 672 hours, and no more
-- than the monthly price in a calendar month; switched off they cost the same. Whatever has a monthly price is computed
-- so. The cap counts all of a sku's hours of a resource in the month, whoever owned it; where it lives on, those until
-- the month's end. A month's cost is spread evenly over these hours, so no day of a long month is free.
--
-- parameters  day date · day_start, day_end, month_start, month_end timestamptz: its bounds and its month's, as parameters
--             since the planner knows how many spans overlap a constant, and no more of a computed one
-- returns     nothing; the row count says how many rows
-- locks       nothing; the caller holds the day's row of cost_days
WITH month_span AS MATERIALIZED (
    SELECT resource_id, coalesce(sku, '') AS sku, span.tenant_id, span.deployment_id, size_gb, kind, region,
           extract(epoch FROM least(upper(during), %(month_end)s::timestamptz)
                              - greatest(lower(during), %(month_start)s::timestamptz)) AS month_seconds,
           CASE WHEN during && tstzrange(%(day_start)s::timestamptz, %(day_end)s::timestamptz) THEN
               extract(epoch FROM least(upper(during), %(day_end)s::timestamptz)
                                  - greatest(lower(during), %(day_start)s::timestamptz))
           END AS day_seconds
    FROM resource_spans AS span
    JOIN cloud_resources AS resource ON resource.id = resource_id
    WHERE during && tstzrange(%(month_start)s::timestamptz, %(month_end)s::timestamptz)
),
capped AS (
    SELECT resource_id, sku, sum(month_seconds) AS month_seconds
    FROM month_span
    GROUP BY resource_id, sku
),
day_span AS MATERIALIZED (
    SELECT month_span.resource_id, month_span.tenant_id, month_span.deployment_id, month_span.size_gb, month_span.sku,
           month_span.day_seconds, capped.month_seconds, month_span.kind, month_span.region
    FROM month_span
    JOIN capped USING (resource_id, sku)
    WHERE month_span.day_seconds IS NOT NULL
),
sold AS MATERIALIZED (  -- of a fleet's hundreds of thousands there are some hundreds to look up
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
