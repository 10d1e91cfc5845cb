-- End the open spans of resources whose metered facts changed. %(batch)s as in observe.sql, the changed ones only.
UPDATE resource_spans AS span
SET during = tstzrange(lower(span.during), %(at)s)
FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(provider_id text, active boolean, size_gb numeric)
JOIN cloud_resources AS resource
  ON (resource.provider, resource.kind, resource.provider_id) = (%(provider)s, %(kind)s, seen.provider_id)
WHERE span.resource_id = resource.id
  AND upper_inf(span.during)
  AND lower(span.during) < %(at)s
  AND (span.deployment_id, span.tenant_id, span.active, span.size_gb)
      IS DISTINCT FROM (resource.deployment_id, resource.tenant_id, seen.active, seen.size_gb)
