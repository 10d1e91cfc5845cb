-- End the open spans of resources whose owner changed. A span that began at this instant is corrected in place.
--
-- parameters  pks bigint[] · at timestamptz
-- returns     nothing
-- locks       the open spans; the resources are locked by the caller
WITH outdated AS MATERIALIZED (  -- looked up one by one, whatever the planner assumes
    SELECT opened.id, resource.tenant_id, resource.deployment_id
    FROM unnest(%(pks)s::bigint[]) AS pk
    CROSS JOIN LATERAL (SELECT tenant_id, deployment_id FROM cloud_resources WHERE id = pk LIMIT 1) AS resource
    CROSS JOIN LATERAL (
        SELECT id, tenant_id, deployment_id FROM resource_spans WHERE resource_id = pk AND upper_inf(during) LIMIT 1
    ) AS opened
    WHERE (opened.tenant_id, opened.deployment_id) IS DISTINCT FROM (resource.tenant_id, resource.deployment_id)
)
UPDATE resource_spans AS span
SET during = CASE
        WHEN lower(span.during) < %(at)s::timestamptz THEN tstzrange(lower(span.during), %(at)s::timestamptz)
        ELSE span.during
    END,
    tenant_id = CASE WHEN lower(span.during) < %(at)s::timestamptz THEN span.tenant_id ELSE outdated.tenant_id END,
    deployment_id = CASE
        WHEN lower(span.during) < %(at)s::timestamptz THEN span.deployment_id ELSE outdated.deployment_id
    END
FROM outdated
WHERE span.id = outdated.id AND span.id = ANY(ARRAY(SELECT id FROM outdated))
