-- Store the months of a batch of subscribers.
--
-- parameters  simulation bigint · arrays of one length: subscriptions, deployments bigint[] · tenants text[] ·
--             months date[] · now, later, costs numeric[], a cost null where it isn't known · crosses, loses
--             text[], kinds with commas between
-- returns     nothing
-- locks       the new rows
INSERT INTO plan_simulation_rows (
    simulation_id, subscription_id, deployment_id, tenant_id, month, revenue_now, revenue_then, cost,
    crosses_into, loses_price
)
SELECT
    %(simulation)s::bigint, row.subscription, row.deployment, row.tenant, row.month, row.now, row.later, row.cost,
    string_to_array(row.crosses, ','), string_to_array(row.loses, ',')
FROM unnest(
    %(subscriptions)s::bigint[], %(deployments)s::bigint[], %(tenants)s::text[], %(months)s::date[],
    %(now)s::numeric[], %(later)s::numeric[], %(costs)s::numeric[], %(crosses)s::text[], %(loses)s::text[]
) AS row(subscription, deployment, tenant, month, now, later, cost, crosses, loses)
