-- Open the new owner's spans where the old owner's have just ended, with what metering counted before.
INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb)
SELECT resource.id, tstzrange(%(at)s::timestamptz, NULL), resource.deployment_id, resource.tenant_id,
       ended.active, ended.size_gb
FROM cloud_resources AS resource
JOIN resource_spans AS ended ON ended.resource_id = resource.id AND upper(ended.during) = %(at)s::timestamptz
WHERE resource.id = ANY(%(pks)s::bigint[])
  AND resource.deleted_at IS NULL
