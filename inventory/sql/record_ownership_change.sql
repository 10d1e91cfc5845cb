happened AS (
    SELECT written.id,
           (SELECT jsonb_object_agg(field, jsonb_build_array(was, is_))
            FROM (VALUES
                ('tenant_id', to_jsonb(tenant_was), to_jsonb(tenant_is)),
                ('deployment', to_jsonb((SELECT slug FROM cloud_deployments WHERE id = deployment_was)),
                               to_jsonb((SELECT slug FROM cloud_deployments WHERE id = deployment_is))),
                ('attributed_by', to_jsonb(rule_was), to_jsonb(rule_is))
            ) AS pair(field, was, is_)
            WHERE was IS DISTINCT FROM is_) AS changes
    FROM written
),
told AS (
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT id, 'updated', changes, %(at)s::timestamptz, %(actor)s::text, %(source)s::text
    FROM happened
    WHERE changes IS NOT NULL
    RETURNING resource_id AS id
)
