-- Bump the rows of a batch that were seen just as they are stored, and return which are not.
--
-- parameters  fingerprints jsonb: of each observation what distinguishes it, each id once · size integer, their number
--             provider text · kind text · at timestamptz, project_at timestamptz and bump_unchanged boolean as in observe.sql
-- returns     differing: the ids of those that aren't stored so · known: how many were looked at, 0 for none or all
-- locks       the known rows, in the order of a batch, all of them before any other statement locks more
--
-- An unchanged row was written from an observation with the same digest, and the rules would choose the same owner
-- again. Where the observation has no project, or can't attribute, project and owner stay, as in observe.sql.
-- Where one isn't known yet, none is touched: observe.sql inserts and locks in one pass, so that two batches never wait
-- for each other in a ring.
WITH seen AS MATERIALIZED (
    SELECT resource.id, fingerprint.*
    FROM jsonb_to_recordset(%(fingerprints)s::jsonb) AS fingerprint(
        provider_id text, digest bytea, can_attribute boolean, project_id bigint, parent_kind text, parent_id text,
        tag_tenant text, tag_slug text, tag_conflict text
    )
    CROSS JOIN LATERAL (
        SELECT id
        FROM cloud_resources
        WHERE provider = %(provider)s::text AND kind = %(kind)s::text AND provider_id = fingerprint.provider_id
        LIMIT 1  -- a lookup for each, as in attribution_rule.sql
    ) AS resource
),
decision AS (
    SELECT seen.*, owner.tenant_id, owner.deployment_id, ruling.rule, ruling.note
    FROM seen
    -- include: ../../attribution/sql/attribution_rule.sql
),
locked AS MATERIALIZED (
    SELECT known.id, known.provider_id,
           known.observed_digest = decision.digest
           AND known.deleted_at IS NULL
           AND (
               decision.project_id IS NULL
               OR known.project_seen_at > %(project_at)s::timestamptz
               OR decision.project_id IS NOT DISTINCT FROM known.project_id
           )
           AND (
               NOT decision.can_attribute
               OR known.project_seen_at > %(project_at)s::timestamptz
               OR (
                   -- include: ../../attribution/sql/sticky_owner.sql
               )
               OR (known.tenant_id, known.deployment_id, known.attributed_by, known.attribution_note)
                  IS NOT DISTINCT FROM (decision.tenant_id, decision.deployment_id, decision.rule, decision.note)
           ) AS is_unchanged,
           known.last_seen_at <= %(at)s::timestamptz
           AND (
               %(bump_unchanged)s::boolean
               OR known.stale_strike_count > 0
               OR known.last_seen_at < %(at)s::timestamptz - interval '1 hour'
           ) AS is_due
    FROM (
        SELECT * FROM decision
        WHERE (SELECT count(*) FROM seen) = %(size)s::integer
        ORDER BY provider_id
    ) AS decision
    CROSS JOIN LATERAL (
        SELECT * FROM cloud_resources WHERE id = decision.id LIMIT 1 FOR NO KEY UPDATE  -- a lookup for each, as above
    ) AS known
),
bumped AS (
    UPDATE cloud_resources AS resource
    SET last_seen_at = %(at)s::timestamptz, stale_strike_count = 0
    -- By keys, one by one: joined to `locked`, a table without statistics would be read whole.
    WHERE resource.id = ANY(ARRAY(SELECT id FROM locked WHERE is_unchanged AND is_due))
)
SELECT coalesce(array_agg(provider_id) FILTER (WHERE is_unchanged IS NOT TRUE), '{}') AS differing,
       count(*) AS known
FROM locked
