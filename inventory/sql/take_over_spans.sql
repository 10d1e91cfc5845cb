-- Open the new owner's spans where the old owner's have just ended, with what metering counted before. One that is
-- open still began at this very instant, and was corrected in place: it changed hands twice at once.
INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb)
SELECT resource.id, tstzrange(%(at)s::timestamptz, NULL), resource.deployment_id, resource.tenant_id,
       ended.active, ended.size_gb
FROM cloud_resources AS resource
JOIN resource_spans AS ended ON ended.resource_id = resource.id AND upper(ended.during) = %(at)s::timestamptz
WHERE resource.id = ANY(%(pks)s::bigint[])
  AND resource.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM resource_spans AS opened WHERE opened.resource_id = resource.id AND upper_inf(opened.during))
