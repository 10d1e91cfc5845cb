-- Open a span for each resource that has none open: its facts changed, or it came back from its tombstone.
-- One that came back and was made before its tombstone lived all along, so its life goes on where it ended;
-- one made later begins at its creation; where the provider tells no creation, at this sight.
INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb)
SELECT resource.id,
       tstzrange(
           CASE
               WHEN before.ended_at IS NULL THEN least(resource.provider_created_at, %(at)s::timestamptz)
               WHEN resource.provider_created_at IS NULL THEN greatest(before.ended_at, %(at)s::timestamptz)
               ELSE least(greatest(resource.provider_created_at, before.ended_at), %(at)s::timestamptz)
           END,
           NULL),
       resource.deployment_id, resource.tenant_id, seen.active, seen.size_gb
FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(provider_id text, active boolean, size_gb numeric)
JOIN cloud_resources AS resource
  ON (resource.provider, resource.kind, resource.provider_id) = (%(provider)s::text, %(kind)s::text, seen.provider_id)
CROSS JOIN LATERAL (
    SELECT max(upper(during)) AS ended_at, bool_or(upper_inf(during)) AS is_open
    FROM resource_spans WHERE resource_id = resource.id
) AS before
WHERE before.is_open IS NOT TRUE
