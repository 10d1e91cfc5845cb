-- List the resources that lived an hour or longer in a month and have no line on its invoices.
--
-- DigitalOcean bills by the hour, and until 2026 whole hours alone; what is free by its list price has no line, and a
-- cluster's workers are on the cluster's. A droplet's backups are another kind of line, and no line of the droplet.
--
-- parameters  invoices bigint[] · day date: the month's first, whose prices count · month_start, month_end timestamptz ·
--             limit integer
-- returns     resource_id, kind, name, sku, tenant_id, deployment_id, hours, expected, since: the end of its last line, or
--             its beginning where it never had one   (the dearest first)
-- locks       nothing
WITH life AS MATERIALIZED (
    SELECT resource_id,
           sum(extract(epoch FROM least(upper(during), %(month_end)s::timestamptz)
                                  - greatest(lower(during), %(month_start)s::timestamptz))) AS seconds,
           max(lower(during)) AS last_since
    FROM resource_spans
    WHERE during && tstzrange(%(month_start)s::timestamptz, %(month_end)s::timestamptz)
    GROUP BY resource_id
),
billed AS MATERIALIZED (
    SELECT DISTINCT resource_id, kind
    FROM cloud_cost_lines
    WHERE invoice_id = ANY(%(invoices)s::bigint[]) AND resource_id IS NOT NULL
),
subject AS (
    SELECT resource.id AS resource_id, resource.kind, resource.name, resource.region, coalesce(span.sku, '') AS sku,
           span.tenant_id, span.deployment_id, span.size_gb, life.seconds
    FROM life
    JOIN cloud_resources AS resource ON resource.id = life.resource_id
    JOIN resource_spans AS span ON span.resource_id = life.resource_id AND lower(span.during) = life.last_since
    LEFT JOIN billed ON billed.resource_id = resource.id AND billed.kind = resource.kind
    WHERE billed.resource_id IS NULL AND life.seconds >= 3600
      AND coalesce(resource.attrs ->> 'cluster_id', '') = ''
)
SELECT dearest.*,
       -- Of these alone: a fleet's would be a look at every line that there is.
       coalesce(
           (
               SELECT max(line.ended_at)
               FROM cloud_cost_lines AS line
               WHERE line.resource_id = dearest.resource_id AND line.kind = dearest.kind
                 AND line.ended_at <= %(month_end)s::timestamptz
           ),
           (SELECT min(lower(during)) FROM resource_spans WHERE resource_spans.resource_id = dearest.resource_id)
       ) AS since
FROM (
    SELECT resource_id, kind, name, sku, tenant_id, deployment_id, round(seconds / 3600, 2) AS hours,
           round(CASE WHEN price.unit = 'gib_month' THEN size_gb ELSE 1 END
               * coalesce(nullif(split_part(sku, ' x', 2), '')::numeric, 1)
               * least(price.price * seconds / (672 * 3600), price.monthly_cap), 2) AS expected
    FROM subject
    -- include: price_in_force.sql
    WHERE price.price IS DISTINCT FROM 0
    ORDER BY expected DESC NULLS LAST, resource_id
    LIMIT %(limit)s::integer
) AS dearest
ORDER BY expected DESC NULLS LAST, resource_id
