-- Bump the rows of a batch that were seen just as they are stored, and tell which these are.
--
-- Such a row was written from an observation with the same digest, and the rules would choose the same owner again.
-- Of a row that told no project, or can't decide, project and owner stay, as in observe.sql.
--
-- Rows are locked in the order of a batch, all of them before any other statement locks more. Where one isn't known
-- yet, none is touched: observe.sql inserts and locks in one pass, so that two batches never wait for each other in
-- a ring.
--
-- %(marks)s           JSON array of what tells an observation apart, each id once
-- %(size)s            how many there are
-- %(at)s              as in observe.sql, and so is %(bump_unchanged)s
WITH seen AS MATERIALIZED (
    SELECT resource.id, mark.*
    FROM jsonb_to_recordset(%(marks)s::jsonb) AS mark(
        provider_id text, digest bytea, can_attribute boolean, project_id bigint, parent_kind text, parent_id text,
        tag_tenant text, tag_slug text, tag_objection text
    )
    CROSS JOIN LATERAL (
        SELECT id
        FROM cloud_resources
        WHERE provider = %(provider)s::text AND kind = %(kind)s::text AND provider_id = mark.provider_id
        LIMIT 1  -- a lookup for each, as in attribution_rule.sql
    ) AS resource
),
whose AS (
    SELECT seen.*, owner.tenant_id, owner.deployment_id, decided.rule, decided.note
    FROM seen
    -- attribution_rule.sql
),
locked AS MATERIALIZED (
    SELECT resource.id, resource.provider_id,
           resource.observed_digest = whose.digest
           AND resource.deleted_at IS NULL
           AND (whose.project_id IS NULL OR whose.project_id IS NOT DISTINCT FROM resource.project_id)
           AND (
               NOT whose.can_attribute
               OR resource.attributed_by IN ('operator', 'saga')
               OR (resource.tenant_id, resource.deployment_id, resource.attributed_by, resource.attribution_note)
                  IS NOT DISTINCT FROM (whose.tenant_id, whose.deployment_id, whose.rule, whose.note)
           ) AS is_unchanged,
           resource.last_seen_at <= %(at)s::timestamptz
           AND (
               %(bump_unchanged)s::boolean
               OR resource.stale_strike_count > 0
               OR resource.last_seen_at < %(at)s::timestamptz - interval '1 hour'
           ) AS is_due
    FROM (
        SELECT * FROM whose
        WHERE (SELECT count(*) FROM seen) = %(size)s::integer
        ORDER BY provider_id
    ) AS whose
    CROSS JOIN LATERAL (
        SELECT * FROM cloud_resources WHERE id = whose.id LIMIT 1 FOR NO KEY UPDATE  -- a lookup for each, as above
    ) AS resource
),
bumped AS (
    UPDATE cloud_resources AS resource
    SET last_seen_at = %(at)s::timestamptz, stale_strike_count = 0
    -- By keys told one by one: joined to `locked`, a table of which nothing is known would be read whole.
    WHERE resource.id = ANY(ARRAY(SELECT id FROM locked WHERE is_unchanged AND is_due))
)
SELECT coalesce(array_agg(provider_id) FILTER (WHERE is_unchanged IS NOT TRUE), '{}'), count(*) FROM locked
