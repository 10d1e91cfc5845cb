-- An operator's word on whose these resources are. It stays until it is cleared, whatever tags and projects say.
WITH locked AS MATERIALIZED (
    SELECT id FROM cloud_resources
    WHERE id = ANY(%(pks)s::bigint[])
    ORDER BY provider, kind, provider_id
    FOR UPDATE
),
written AS (
    UPDATE cloud_resources AS resource
    SET tenant_id = %(tenant_id)s::text, deployment_id = %(deployment_id)s::bigint, attributed_by = 'operator',
        attribution_note = ''
    WHERE resource.id = ANY(ARRAY(SELECT id FROM locked))
    RETURNING resource.id, old.tenant_id AS tenant_was, new.tenant_id AS tenant_is,
        old.deployment_id AS deployment_was, new.deployment_id AS deployment_is,
        old.attributed_by AS rule_was, new.attributed_by AS rule_is
),
-- record_ownership_change.sql
SELECT coalesce(array_agg(id), '{}') FROM told
