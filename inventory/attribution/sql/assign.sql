-- Write an operator's word on the owner of these resources: a tenant, or that they are ours and have none. It stays
-- until it is cleared, whatever tags and projects say.
--
-- parameters  pks bigint[] · rule text: 'operator', or 'ours' without a tenant · tenant_id text · deployment_id bigint · at timestamptz · actor text · source text
-- returns     changed: the ids of those whose owner changed
-- locks       the resources, in the order of a batch of observations
WITH locked AS MATERIALIZED (
    SELECT id FROM cloud_resources
    WHERE id = ANY(%(pks)s::bigint[])
    ORDER BY provider, kind, provider_id
    FOR UPDATE
),
written AS (
    UPDATE cloud_resources AS known
    SET tenant_id = %(tenant_id)s::text, deployment_id = %(deployment_id)s::bigint, attributed_by = %(rule)s::text,
        attribution_note = ''
    WHERE known.id = ANY(ARRAY(SELECT id FROM locked))
    RETURNING known.id, old.tenant_id AS old_tenant_id, new.tenant_id AS new_tenant_id,
        old.deployment_id AS old_deployment_id, new.deployment_id AS new_deployment_id,
        old.attributed_by AS old_rule, new.attributed_by AS new_rule
),
-- include: record_ownership_change.sql
SELECT coalesce(array_agg(id), '{}') AS changed FROM recorded
