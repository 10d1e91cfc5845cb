-- Find live resources of deployments that nobody pays for. A trial isn't paid for yet; while a saga works on the
-- deployment, it makes or removes them.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource)
-- locks       nothing
SELECT 'resource' AS subject_kind, resource.id::text AS subject_key, 'resource:' || resource.id AS link,
       'a live subscription of ' || deployment.tenant_id || '/' || deployment.slug AS expected,
       'none; the deployment is ' || deployment.state AS actual
FROM cloud_resources AS resource
JOIN cloud_deployments AS deployment ON deployment.id = resource.deployment_id
WHERE resource.deleted_at IS NULL AND deployment.state <> 'trial'
  AND NOT EXISTS (
      SELECT FROM subscriptions
      WHERE subscriptions.deployment_id = deployment.id AND status IN ('active', 'paused')
  )
  AND NOT EXISTS (
      SELECT FROM saga_runs
      WHERE saga_runs.deployment_id = deployment.id AND finished_at IS NULL
        AND status IN ('pending', 'running', 'waiting', 'compensating')
  )
