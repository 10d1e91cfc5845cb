-- Find live subscriptions of archived deployments: their fees go on for nothing.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a subscription)
-- locks       nothing
SELECT 'subscription' AS subject_kind, subscription.id::text AS subject_key,
       'deployment:' || subscription.deployment_id AS link,
       'no live subscription of ' || deployment.tenant_id || '/' || deployment.slug || ', which is archived' AS expected,
       'one that is ' || subscription.status || ' since ' || to_char(subscription.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
           AS actual
FROM subscriptions AS subscription
JOIN cloud_deployments AS deployment ON deployment.id = subscription.deployment_id
WHERE deployment.state = 'archived' AND subscription.status IN ('active', 'paused')
