-- End the open spans of resources that have changed hands. A span that began at this instant is corrected in place.
UPDATE resource_spans AS span
SET during = CASE
        WHEN lower(span.during) < %(at)s::timestamptz THEN tstzrange(lower(span.during), %(at)s::timestamptz)
        ELSE span.during
    END,
    tenant_id = CASE WHEN lower(span.during) < %(at)s::timestamptz THEN span.tenant_id ELSE resource.tenant_id END,
    deployment_id = CASE
        WHEN lower(span.during) < %(at)s::timestamptz THEN span.deployment_id ELSE resource.deployment_id
    END
FROM cloud_resources AS resource
WHERE resource.id = ANY(%(pks)s::bigint[])
  AND span.resource_id = resource.id
  AND upper_inf(span.during)
  AND (span.tenant_id, span.deployment_id) IS DISTINCT FROM (resource.tenant_id, resource.deployment_id)
