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
WITH day_span AS (
    -- Most of a fleet doesn't change in a month: such a span is its resource's only one, and nothing is to be measured.
    SELECT resource_id, NULL::bigint AS changed_id, sku, tenant_id, deployment_id, size_gb,
           extract(epoch FROM %(day_end)s::timestamptz - %(day_start)s::timestamptz) AS day_seconds,
           extract(epoch FROM %(month_end)s::timestamptz - %(month_start)s::timestamptz) AS month_seconds
    FROM resource_spans
    WHERE during @> tstzrange(%(month_start)s::timestamptz, %(month_end)s::timestamptz)
    UNION ALL
    -- A resource of several spans is named with each, to be counted once.
    SELECT resource_id, CASE WHEN spans > 1 THEN resource_id END, sku, tenant_id, deployment_id, size_gb,
           extract(epoch FROM least(upper(during), %(day_end)s::timestamptz)
                              - greatest(lower(during), %(day_start)s::timestamptz)),
           month_seconds
    FROM (
        SELECT span.*, count(*) OVER (PARTITION BY resource_id) AS spans,
               sum(extract(epoch FROM least(upper(during), %(month_end)s::timestamptz)
                                      - greatest(lower(during), %(month_start)s::timestamptz)))
                   OVER (PARTITION BY resource_id, sku) AS month_seconds
        FROM resource_spans AS span
        WHERE during && tstzrange(%(month_start)s::timestamptz, %(month_end)s::timestamptz)
          AND NOT during @> tstzrange(%(month_start)s::timestamptz, %(month_end)s::timestamptz)
    ) AS changed
    WHERE during && tstzrange(%(day_start)s::timestamptz, %(day_end)s::timestamptz)
),
-- Counted before it is priced: an owner's resources of one sku are one multiplication.
bundle AS MATERIALIZED (
    SELECT span.tenant_id, span.deployment_id, resource.kind, coalesce(span.sku, '') AS sku, resource.region, changed_id,
           day_seconds, month_seconds, size_gb IS NULL AS is_unsized, count(*) AS resources, sum(size_gb) AS size_gb
    FROM day_span AS span
    JOIN cloud_resources AS resource ON resource.id = span.resource_id
    GROUP BY span.tenant_id, span.deployment_id, resource.kind, span.sku, resource.region, changed_id, day_seconds,
             month_seconds, size_gb IS NULL
),
sold AS MATERIALIZED (  -- of a fleet's hundreds of thousands there are some hundreds to look up
    SELECT subject.*, price.unit, price.price, price.monthly_cap
    FROM (SELECT DISTINCT kind, sku, region FROM bundle) AS subject
    -- include: price_in_force.sql
),
cost AS (
    SELECT bundle.tenant_id, bundle.deployment_id, bundle.kind, bundle.changed_id, bundle.resources,
           -- A price by size prices no size that isn't known: it counts as unpriced, not as free.
           sold.price IS NULL OR (sold.unit = 'gib_month' AND bundle.is_unsized) AS is_unpriced,
           bundle.day_seconds
               * CASE WHEN sold.unit = 'gib_month' THEN coalesce(bundle.size_gb, 0) ELSE bundle.resources END
               * coalesce(nullif(split_part(bundle.sku, ' x', 2), '')::numeric, 1)
               * least(sold.price / (672 * 3600), sold.monthly_cap / bundle.month_seconds) AS amount
    FROM bundle
    JOIN sold USING (kind, sku, region)
)
INSERT INTO daily_costs (day, source, part, tenant_id, deployment_id, kind, amount, resources, unpriced)
SELECT %(day)s::date, 'accrued', 'matched', tenant_id, deployment_id, kind, round(coalesce(sum(amount), 0), 10),
       coalesce(sum(resources) FILTER (WHERE changed_id IS NULL), 0) + count(DISTINCT changed_id),
       coalesce(sum(resources) FILTER (WHERE changed_id IS NULL AND is_unpriced), 0)
           + count(DISTINCT changed_id) FILTER (WHERE is_unpriced)
FROM cost
GROUP BY tenant_id, deployment_id, kind
