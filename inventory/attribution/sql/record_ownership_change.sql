-- Record in the history which owners an UPDATE has changed.
--
-- A part of other statements, which have the rows as `written`: id, and old_… and new_… of tenant_id, deployment_id and
-- rule. It adds `recorded`: the ids of those that changed.
changed AS (
    SELECT written.id,
           (SELECT jsonb_object_agg(field, jsonb_build_array(old_value, new_value))
            FROM (VALUES
                ('tenant_id', to_jsonb(old_tenant_id), to_jsonb(new_tenant_id)),
                ('deployment', to_jsonb((SELECT slug FROM cloud_deployments WHERE id = old_deployment_id)),
                               to_jsonb((SELECT slug FROM cloud_deployments WHERE id = new_deployment_id))),
                ('attributed_by', to_jsonb(old_rule), to_jsonb(new_rule))
            ) AS pair(field, old_value, new_value)
            WHERE old_value IS DISTINCT FROM new_value) AS changes
    FROM written
),
recorded AS (
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT id, 'updated', changes, %(at)s::timestamptz, %(actor)s::text, %(source)s::text
    FROM changed
    WHERE changes IS NOT NULL
    RETURNING resource_id AS id
)
