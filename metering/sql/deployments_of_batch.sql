-- Find the deployments that a batch of events names, with where their bandwidth comes from, latest first.
--
-- parameters  ids bigint[] · tenant_id text, null for every tenant's
-- returns     id, sources json [{from, source}]
-- locks       the deployments, by id, against a change of their bandwidth's source
SELECT deployment.id,
       coalesce(
           (SELECT json_agg(json_build_object('from', setting.effective_from, 'source', setting.source)
                            ORDER BY setting.effective_from DESC)
            FROM bandwidth_sources AS setting WHERE setting.deployment_id = deployment.id),
           '[]'::json) AS sources
FROM cloud_deployments AS deployment
WHERE deployment.id = ANY(%(ids)s::bigint[])
  AND (%(tenant_id)s::text IS NULL OR deployment.tenant_id = %(tenant_id)s::text)
ORDER BY deployment.id
FOR KEY SHARE OF deployment
