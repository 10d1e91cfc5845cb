-- Decide the owner of a resource by the rules that can be decided anew: tags, then the parent, then the project's
-- tenant.
--
-- A part of other statements, joins that follow `FROM … AS seen`, which has project_id, parent_kind, parent_id and what
-- its tags name (tags.py). They add `ruling` (rule, note) and `owner` (tenant_id, deployment_id).
--
-- A deployment's slug is resolved only within the tenant that the tenant tag or the project has decided: tenants choose
-- their slugs, and must not capture another's machines. Where tags and project contradict, or tags name no tenant, it
-- stays unattributed, with the reason. A parent that is gone decides still, by its last owner: the snapshot that is left
-- of a destroyed droplet goes on costing whoever had that. What belongs to one of ours is ours: decided by its parent,
-- and without a tenant.
LEFT JOIN cloud_projects AS project ON project.id = seen.project_id
LEFT JOIN LATERAL (
    SELECT resource.tenant_id, resource.deployment_id,
           resource.attributed_by = 'ours'
               OR (resource.attributed_by = 'parent' AND resource.tenant_id IS NULL) AS is_ours
    FROM cloud_resources AS resource
    WHERE resource.provider = %(provider)s::text AND resource.kind = seen.parent_kind
      AND resource.provider_id = nullif(seen.parent_id, '')
    LIMIT 1  -- keeps it a lookup for each: a plan from old statistics, or none, would read the whole kind
) AS parent ON true
CROSS JOIN LATERAL (
    SELECT coalesce(seen.tag_tenant, project.tenant_id) AS tenant_id,
           CASE
               WHEN seen.tag_conflict IS NOT NULL THEN seen.tag_conflict
               WHEN seen.tag_tenant <> project.tenant_id
                   THEN 'its tag says tenant ' || seen.tag_tenant || ', its project says ' || project.tenant_id
               WHEN seen.tag_slug IS NOT NULL AND coalesce(seen.tag_tenant, project.tenant_id) IS NULL
                   THEN 'its tag names deployment ' || seen.tag_slug || ', but nothing names a tenant'
           END AS conflict
) AS claimed
LEFT JOIN LATERAL (
    SELECT id
    FROM cloud_deployments
    WHERE claimed.conflict IS NULL AND tenant_id = claimed.tenant_id AND lower(slug) = lower(seen.tag_slug)
    ORDER BY slug <> seen.tag_slug  -- the same capitals first
    LIMIT 1
) AS named ON true
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN claimed.conflict IS NOT NULL THEN ''
               WHEN seen.tag_tenant IS NOT NULL OR named.id IS NOT NULL THEN 'tags'
               WHEN parent.tenant_id IS NOT NULL OR parent.is_ours THEN 'parent'
               WHEN project.tenant_id IS NOT NULL THEN 'project'
               ELSE ''
           END AS rule,
           coalesce(
               claimed.conflict,
               CASE
                   WHEN seen.tag_slug IS NOT NULL AND named.id IS NULL
                   THEN 'tenant ' || claimed.tenant_id || ' has no deployment ' || seen.tag_slug
               END,
               ''
           ) AS note
) AS ruling
CROSS JOIN LATERAL (
    SELECT CASE ruling.rule
               WHEN 'tags' THEN claimed.tenant_id
               WHEN 'parent' THEN parent.tenant_id
               WHEN 'project' THEN project.tenant_id
           END AS tenant_id,
           CASE ruling.rule
               WHEN 'tags' THEN named.id
               WHEN 'parent' THEN parent.deployment_id
           END AS deployment_id
) AS owner
