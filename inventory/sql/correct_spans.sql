-- A span that began at this very instant has no length to keep: its facts are corrected where it stands.
UPDATE resource_spans AS span
SET deployment_id = resource.deployment_id, tenant_id = resource.tenant_id,
    active = seen.active, size_gb = seen.size_gb
FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(provider_id text, active boolean, size_gb numeric)
JOIN cloud_resources AS resource
  ON (resource.provider, resource.kind, resource.provider_id) = (%(provider)s::text, %(kind)s::text, seen.provider_id)
WHERE span.resource_id = resource.id
  AND upper_inf(span.during)
  AND lower(span.during) >= %(at)s::timestamptz
  AND (span.deployment_id, span.tenant_id, span.active, span.size_gb)
      IS DISTINCT FROM (resource.deployment_id, resource.tenant_id, seen.active, seen.size_gb)
