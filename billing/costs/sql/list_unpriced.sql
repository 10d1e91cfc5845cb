-- List the live resources without a price on a day, by kind, sku and region; with a price by size, those of unknown size.
-- parameters  day date
-- returns     kind, sku, region, count, resource_id, name   (one of them by id and name; the most first)
-- locks       nothing
WITH live AS MATERIALIZED (
    SELECT resource.id, resource.name, resource.kind, resource.region, coalesce(span.sku, '') AS sku,
           span.size_gb IS NULL AS is_unsized
    FROM cloud_resources AS resource
    LEFT JOIN resource_spans AS span ON span.resource_id = resource.id AND upper_inf(span.during)
    WHERE resource.deleted_at IS NULL
)
SELECT subject.kind, subject.sku, subject.region, subject.count, subject.resource_id, example.name
FROM (
    SELECT kind, sku, region, is_unsized, count(*) AS count, min(id) AS resource_id
    FROM live
    GROUP BY kind, sku, region, is_unsized
) AS subject
JOIN cloud_resources AS example ON example.id = subject.resource_id
-- include: price_in_force.sql
WHERE price.price IS NULL OR (price.unit = 'gib_month' AND is_unsized)
ORDER BY subject.count DESC, subject.kind, subject.sku, subject.region
