-- Find what a live resource of each of some kinds costs a month on average: those of a plan version's subscribers, and all.
-- parameters  kinds text[] · plan_version bigint
-- returns     kind, of_version, of_all   (dollars; null where none has a known price)
-- locks       nothing
SELECT resource.kind,
       round(avg(monthly_price_cents) FILTER (WHERE subscription.id IS NOT NULL) / 100, 4) AS of_version,
       round(avg(monthly_price_cents) / 100, 4) AS of_all
FROM cloud_resources AS resource
LEFT JOIN subscriptions AS subscription ON subscription.deployment_id = resource.deployment_id
    AND subscription.plan_version_id = %(plan_version)s::bigint AND subscription.status IN ('active', 'paused')
WHERE resource.deleted_at IS NULL AND resource.kind = ANY(%(kinds)s::text[]) AND resource.deployment_id IS NOT NULL
GROUP BY resource.kind
