-- Decide anew whose these resources are, from what is stored of them, and tell what changed.
--
-- An operator's assignment is sticky and a saga's stays, unless they are being cleared.
--
-- %(pks)s      the resources' ids, by which rows are looked up, whatever the planner was told
-- %(claims)s   JSON array of the same and what their tags claim; rows are locked in the order of a batch
-- %(cleared)s  whether an operator's assignment is dropped, too
WITH seen AS MATERIALIZED (
    SELECT resource.id, resource.project_id, resource.parent_kind, resource.parent_id,
           claim.tag_tenant, claim.tag_slug, claim.tag_objection
    FROM cloud_resources AS resource
    JOIN jsonb_to_recordset(%(claims)s::jsonb) AS claim(
        id bigint, tag_tenant text, tag_slug text, tag_objection text
    ) ON claim.id = resource.id
    WHERE resource.id = ANY(%(pks)s::bigint[])
      AND (%(cleared)s::boolean OR resource.attributed_by NOT IN ('operator', 'saga'))
    ORDER BY resource.provider, resource.kind, resource.provider_id
    FOR UPDATE OF resource
),
whose AS (
    SELECT seen.id, decided.rule, decided.note, owner.tenant_id, owner.deployment_id
    FROM seen
    -- attribution_rule.sql
),
written AS (
    UPDATE cloud_resources AS resource
    SET tenant_id = whose.tenant_id, deployment_id = whose.deployment_id, attributed_by = whose.rule,
        attribution_note = whose.note
    FROM whose
    WHERE resource.id = ANY(%(pks)s::bigint[]) AND resource.id = whose.id
      AND (resource.tenant_id, resource.deployment_id, resource.attributed_by, resource.attribution_note)
          IS DISTINCT FROM (whose.tenant_id, whose.deployment_id, whose.rule, whose.note)
    RETURNING resource.id, old.tenant_id AS tenant_was, new.tenant_id AS tenant_is,
        old.deployment_id AS deployment_was, new.deployment_id AS deployment_is,
        old.attributed_by AS rule_was, new.attributed_by AS rule_is
),
-- record_ownership_change.sql
SELECT coalesce(array_agg(id), '{}') FROM told
