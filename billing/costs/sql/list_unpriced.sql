-- List the live resources without a price on a day, by kind, sku and region.
-- parameters  day date
-- returns     kind, sku, region, count, resource_id, name   (one of them by id and name; the most first)
-- locks       nothing
WITH live AS MATERIALIZED (
    SELECT resource.id, resource.name, resource.kind, resource.region, coalesce(span.sku, '') AS sku
    FROM cloud_resources AS resource
    LEFT JOIN resource_spans AS span ON span.resource_id = resource.id AND upper_inf(span.during)
    WHERE resource.deleted_at IS NULL
)
SELECT subject.kind, subject.sku, subject.region, subject.count, subject.resource_id, example.name
FROM (
    SELECT kind, sku, region, count(*) AS count, min(id) AS resource_id FROM live GROUP BY kind, sku, region
) AS subject
JOIN cloud_resources AS example ON example.id = subject.resource_id
-- include: price_in_force.sql
WHERE price.price IS NULL
ORDER BY subject.count DESC, subject.kind, subject.sku, subject.region
