-- Compute what each of an owner's resources of a kind cost on one day at the list prices of a day, as accrue_day.sql does.
--
-- parameters  tenant text or null · deployment bigint or null · kind text · day date: whose prices ·
--             day_start, day_end, month_start, month_end timestamptz: the bounds of the day that is priced, and its month's
-- returns     resource_id, name, sku, size_gb (the last ones of the day), amount (null: no price is known)
-- locks       nothing
WITH subject AS MATERIALIZED (
    SELECT span.resource_id, resource.name, resource.kind, resource.region, coalesce(span.sku, '') AS sku, span.size_gb,
           span.during,
           extract(epoch FROM least(upper(span.during), %(day_end)s::timestamptz)
                              - greatest(lower(span.during), %(day_start)s::timestamptz)) AS day_seconds,
           -- The cap counts all of the sku's hours in the month, whoever owned it.
           (SELECT sum(extract(epoch FROM least(upper(every.during), %(month_end)s::timestamptz)
                                          - greatest(lower(every.during), %(month_start)s::timestamptz)))
            FROM resource_spans AS every
            WHERE every.resource_id = span.resource_id AND every.sku IS NOT DISTINCT FROM span.sku
              AND every.during && tstzrange(%(month_start)s::timestamptz, %(month_end)s::timestamptz)) AS month_seconds
    FROM resource_spans AS span
    JOIN cloud_resources AS resource ON resource.id = span.resource_id
    WHERE span.during && tstzrange(%(day_start)s::timestamptz, %(day_end)s::timestamptz)
      AND span.tenant_id IS NOT DISTINCT FROM %(tenant)s::text
      AND span.deployment_id IS NOT DISTINCT FROM %(deployment)s::bigint
      AND resource.kind = %(kind)s::text
)
SELECT subject.resource_id, max(subject.name) AS name,
       (array_agg(subject.sku ORDER BY lower(subject.during) DESC))[1] AS sku,
       (array_agg(subject.size_gb ORDER BY lower(subject.during) DESC))[1] AS size_gb,
       round(sum(subject.day_seconds
           * CASE WHEN price.unit = 'gib_month' THEN coalesce(subject.size_gb, 0) ELSE 1 END
           * coalesce(nullif(split_part(subject.sku, ' x', 2), '')::numeric, 1)
           * least(price.price / (672 * 3600), price.monthly_cap / subject.month_seconds)), 10) AS amount
FROM subject
-- include: ../../sql/price_in_force.sql
GROUP BY subject.resource_id
ORDER BY subject.resource_id
