-- Decide anew the owner of these resources, from what is stored of them.
--
-- parameters  pks bigint[]
--             tags jsonb [{id, tenant, slug, conflict}] of the same: what their tags name
--             clear_assignment boolean: an operator's assignment is dropped, too
--             provider text · at timestamptz · actor text · source text
-- returns     changed: the ids of those whose owner changed
-- locks       the resources, in the order of a batch of observations
WITH locked AS MATERIALIZED (  -- without the tags: a join could read all of these rows for each of them
    SELECT known.id, known.saga_tenant_id, known.saga_deployment_id, known.project_id, known.parent_kind, known.parent_id
    FROM cloud_resources AS known
    WHERE known.id = ANY(%(pks)s::bigint[])
      AND (
        %(clear_assignment)s::boolean
        OR NOT (
            -- include: sticky_owner.sql
        )
      )
    ORDER BY known.provider, known.kind, known.provider_id
    FOR UPDATE
),
seen AS (
    SELECT locked.*, tagged.tenant AS tag_tenant, tagged.slug AS tag_slug, tagged.conflict AS tag_conflict
    FROM locked
    JOIN jsonb_to_recordset(%(tags)s::jsonb) AS tagged(id bigint, tenant text, slug text, conflict text) USING (id)
),
decision AS (
    SELECT seen.id,
           -- The saga that made it comes next after the operator, and is still known behind an assignment.
           CASE WHEN seen.saga_tenant_id IS NOT NULL THEN 'saga' ELSE ruling.rule END AS rule,
           CASE WHEN seen.saga_tenant_id IS NOT NULL THEN '' ELSE ruling.note END AS note,
           CASE WHEN seen.saga_tenant_id IS NOT NULL THEN seen.saga_tenant_id ELSE owner.tenant_id END AS tenant_id,
           CASE WHEN seen.saga_tenant_id IS NOT NULL THEN seen.saga_deployment_id
                ELSE owner.deployment_id END AS deployment_id
    FROM seen
    -- include: attribution_rule.sql
),
written AS (
    UPDATE cloud_resources AS known
    SET tenant_id = decision.tenant_id, deployment_id = decision.deployment_id, attributed_by = decision.rule,
        attribution_note = decision.note
    FROM decision
    -- Not by `pks` as well: with statistics of rows that are gone, all of those would be read for each of them.
    WHERE known.id = decision.id
      AND (known.tenant_id, known.deployment_id, known.attributed_by, known.attribution_note)
          IS DISTINCT FROM (decision.tenant_id, decision.deployment_id, decision.rule, decision.note)
    RETURNING known.id, old.tenant_id AS old_tenant_id, new.tenant_id AS new_tenant_id,
        old.deployment_id AS old_deployment_id, new.deployment_id AS new_deployment_id,
        old.attributed_by AS old_rule, new.attributed_by AS new_rule
),
-- include: record_ownership_change.sql
SELECT coalesce(array_agg(id), '{}') AS changed FROM recorded
