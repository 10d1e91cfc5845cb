-- Give the spans of resources whose owner was decided for the first time to that owner, from the first one on: until
-- then their owner was never asked for. Where any span has an owner, by an operator's word, all stay as they are.
--
-- parameters  pks bigint[]
-- returns     nothing
-- locks       the spans
WITH unowned AS MATERIALIZED (
    SELECT span.id
    FROM unnest(%(pks)s::bigint[]) AS pk
    CROSS JOIN LATERAL (
        SELECT array_agg(id) AS ids, bool_and(tenant_id IS NULL) AS is_unowned
        FROM resource_spans
        WHERE resource_id = pk
    ) AS life
    CROSS JOIN LATERAL unnest(life.ids) AS span(id)
    WHERE life.is_unowned
)
UPDATE resource_spans AS span
SET (tenant_id, deployment_id) = (
    SELECT tenant_id, deployment_id FROM cloud_resources WHERE id = span.resource_id
)
WHERE span.id = ANY(ARRAY(SELECT id FROM unowned))
