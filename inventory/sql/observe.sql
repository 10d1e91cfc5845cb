-- One batch of observations of one kind: write the rows, read from the write what happened, tell it.
--
-- What happened is read from RETURNING old/new, never from a SELECT before the write: two writers at once
-- would both see "not there yet". The batch is sorted, so that two batches never wait for each other in a ring.
--
-- A row whose observation tells no project keeps its own: whatever can be in a project always is in one, so silence
-- means that membership wasn't read, or was read a moment too early. Unless it `can_attribute`, it keeps its owner, too:
-- the one that it has when it is written, for who it was before the row was locked may have been decided anew since.
--
-- %(batch)s           JSON array of observations, sorted by provider_id, each id once
-- %(at)s              when the provider was asked, on the database's clock; an older look never overwrites a newer
-- %(volatile)s        names of attrs that move by themselves and count for nothing
-- %(bump_unchanged)s  false in fast runs: an unchanged row is touched only when its last bump is an hour old
WITH observed AS (
    SELECT seen.*,
           CASE WHEN maker.tenant_id IS NOT NULL THEN 'saga'
                WHEN before.id IS NOT NULL THEN 'as before'
                ELSE decided.rule END AS rule,
           CASE WHEN maker.tenant_id IS NOT NULL THEN '' ELSE decided.note END AS note,
           CASE WHEN maker.tenant_id IS NOT NULL THEN maker.tenant_id ELSE owner.tenant_id END AS owner_tenant_id,
           CASE WHEN maker.tenant_id IS NOT NULL THEN seen.deployment_id
                ELSE owner.deployment_id END AS owner_deployment_id
    FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(
        provider_id text, urn text, name text, region text, status text, tags text[], attrs jsonb,
        monthly_price_cents integer, created_at timestamptz, active boolean, size_gb numeric,
        project_id bigint, deployment_id bigint, tenant_id text, parent_kind text, parent_id text, can_attribute boolean,
        tag_tenant text, tag_slug text, tag_objection text, digest bytea
    )
    LEFT JOIN cloud_deployments AS deployment ON deployment.id = seen.deployment_id
    CROSS JOIN LATERAL (SELECT coalesce(seen.tenant_id, deployment.tenant_id) AS tenant_id) AS maker
    LEFT JOIN LATERAL (
        SELECT resource.id
        FROM cloud_resources AS resource
        WHERE NOT seen.can_attribute AND resource.provider = %(provider)s::text AND resource.kind = %(kind)s::text
          AND resource.provider_id = seen.provider_id
        LIMIT 1  -- a lookup for each, as in attribution_rule.sql
    ) AS before ON true
    -- attribution_rule.sql
),
written AS (
    INSERT INTO cloud_resources AS known (
        provider, kind, provider_id, urn, name, region, status, tags, attrs, monthly_price_cents,
        provider_created_at, project_id, deployment_id, tenant_id, attributed_by, attribution_note,
        parent_kind, parent_id, observed_digest, first_seen_at, last_seen_at, stale_strike_count
    )
    SELECT %(provider)s::text, %(kind)s::text, provider_id, urn, name, region, status, tags, attrs, monthly_price_cents,
           created_at, project_id, owner_deployment_id, owner_tenant_id, rule, note, parent_kind, parent_id,
           digest, %(at)s::timestamptz, %(at)s::timestamptz, 0
    FROM observed
    ORDER BY provider_id
    ON CONFLICT (provider, kind, provider_id) DO UPDATE SET
        urn = excluded.urn,
        name = excluded.name,
        region = excluded.region,
        status = excluded.status,
        tags = excluded.tags,
        attrs = excluded.attrs,
        monthly_price_cents = excluded.monthly_price_cents,
        provider_created_at = coalesce(excluded.provider_created_at, known.provider_created_at),
        project_id = coalesce(excluded.project_id, known.project_id),
        parent_kind = excluded.parent_kind,
        parent_id = excluded.parent_id,
        (deployment_id, tenant_id, attributed_by, attribution_note) = (
            SELECT owner.deployment_id, owner.tenant_id, owner.attributed_by, owner.attribution_note
            FROM (VALUES
                (true, known.deployment_id, known.tenant_id, known.attributed_by, known.attribution_note),
                (false, excluded.deployment_id, excluded.tenant_id, excluded.attributed_by, excluded.attribution_note)
            ) AS owner(stays, deployment_id, tenant_id, attributed_by, attribution_note)
            WHERE owner.stays = (
                known.attributed_by = 'operator' OR known.attributed_by = 'saga' AND excluded.attributed_by <> 'saga'
                OR excluded.attributed_by = 'as before'
            )
        ),
        observed_digest = excluded.observed_digest,
        last_seen_at = excluded.last_seen_at,
        deleted_at = NULL,
        stale_strike_count = 0
    WHERE excluded.last_seen_at >= known.last_seen_at
      AND (known.deleted_at IS NULL OR excluded.last_seen_at > known.deleted_at)
      AND (
        %(bump_unchanged)s::boolean
        OR known.deleted_at IS NOT NULL
        OR known.stale_strike_count > 0
        OR known.last_seen_at < excluded.last_seen_at - interval '1 hour'
        OR (known.urn, known.name, known.region, known.status, known.tags, known.monthly_price_cents)
           IS DISTINCT FROM
           (excluded.urn, excluded.name, excluded.region, excluded.status, excluded.tags, excluded.monthly_price_cents)
        OR known.attrs - %(volatile)s::text[] <> excluded.attrs - %(volatile)s::text[]
        OR known.project_id <> excluded.project_id
        OR (known.project_id IS NULL AND excluded.project_id IS NOT NULL)
        OR (
            known.attributed_by NOT IN ('operator', 'saga')
            AND excluded.attributed_by <> 'as before'
            AND (known.tenant_id, known.deployment_id, known.attributed_by)
                IS DISTINCT FROM (excluded.tenant_id, excluded.deployment_id, excluded.attributed_by)
        )
      )
    RETURNING
        old.id IS NULL AS is_new, old.deleted_at AS was_deleted_at,
        -- What can be in a project has a row without one only until its owner is decided for the first time.
        old.id IS NOT NULL AND old.deleted_at IS NULL AND old.project_id IS NULL AND old.tenant_id IS NULL
        AND new.tenant_id IS NOT NULL AND (new.project_id IS NOT NULL OR new.attributed_by = 'saga')
        AS is_owned_at_last,
        new.id, new.provider_id, new.deployment_id, new.tenant_id, new.provider_created_at,
        CASE WHEN old.id IS NOT NULL
              AND ((old.urn, old.name, old.region, old.status, old.tags, old.monthly_price_cents,
                    old.project_id, old.deployment_id, old.tenant_id, old.attributed_by)
                   IS DISTINCT FROM
                   (new.urn, new.name, new.region, new.status, new.tags, new.monthly_price_cents,
                    new.project_id, new.deployment_id, new.tenant_id, new.attributed_by)
                   OR old.attrs <> new.attrs)
             THEN jsonb_build_array(
                 jsonb_build_object(
                     'urn', old.urn, 'name', old.name, 'region', old.region, 'status', old.status,
                     'tags', to_jsonb(old.tags), 'monthly_price_cents', old.monthly_price_cents,
                     'project', (SELECT name FROM cloud_projects WHERE id = old.project_id),
                     'deployment', (SELECT slug FROM cloud_deployments WHERE id = old.deployment_id),
                     'tenant_id', old.tenant_id, 'attributed_by', old.attributed_by),
                 jsonb_build_object(
                     'urn', new.urn, 'name', new.name, 'region', new.region, 'status', new.status,
                     'tags', to_jsonb(new.tags), 'monthly_price_cents', new.monthly_price_cents,
                     'project', (SELECT name FROM cloud_projects WHERE id = new.project_id),
                     'deployment', (SELECT slug FROM cloud_deployments WHERE id = new.deployment_id),
                     'tenant_id', new.tenant_id, 'attributed_by', new.attributed_by),
                 old.attrs - %(volatile)s::text[],
                 new.attrs - %(volatile)s::text[])
        END AS before_and_after
),
happened AS (
    SELECT id, provider_id, written.deployment_id, written.tenant_id, provider_created_at, is_new,
           is_owned_at_last, coalesce(difference.changes, '{}') AS changes,
           CASE
               WHEN is_new THEN 'discovered'
               WHEN was_deleted_at IS NOT NULL THEN 'restored'
               WHEN difference.changes IS NULL THEN NULL
               WHEN difference.changes - 'tags' = '{}' THEN 'tagged'
               ELSE 'updated'
           END AS event_type,
           -- A size may grow by itself (a bucket's): a new span, though no event. Only kinds metered by size
           -- are looked up; `active` follows from the status, whose change is an event.
           NOT is_new AND observed.size_gb IS NOT NULL AND EXISTS (
               SELECT FROM resource_spans AS span
               WHERE span.resource_id = written.id AND upper_inf(span.during)
                 AND span.size_gb IS DISTINCT FROM observed.size_gb
           ) AS is_measured_anew
    FROM written
    JOIN observed USING (provider_id)
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(field, jsonb_build_array(was, is_)) AS changes
        FROM (
            SELECT field, before_and_after -> 0 -> field, before_and_after -> 1 -> field
            FROM jsonb_object_keys(before_and_after -> 1) AS field
            UNION ALL
            -- An attr may be called like a column: neither's change may hide the other's.
            SELECT CASE WHEN before_and_after -> 1 ? field THEN 'attrs.' || field ELSE field END,
                   before_and_after -> 2 -> field, before_and_after -> 3 -> field
            FROM jsonb_object_keys((before_and_after -> 2) || (before_and_after -> 3)) AS field
        ) AS pair(field, was, is_)
        WHERE was IS DISTINCT FROM is_
    ) AS difference ON before_and_after IS NOT NULL
),
told AS (
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT id, event_type, changes, %(at)s::timestamptz, %(actor)s::text, %(source)s::text
    FROM happened
    WHERE event_type IS NOT NULL
),
spanned AS (
    INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb)
    SELECT happened.id, tstzrange(least(observed.created_at, %(at)s::timestamptz), NULL), happened.deployment_id,
           happened.tenant_id, observed.active, observed.size_gb
    FROM happened
    JOIN observed USING (provider_id)
    WHERE happened.is_new
    ORDER BY random()  -- a GiST index whose every entry is beyond the last is grown at each, and costs half more
)
SELECT
    count(*) FILTER (WHERE event_type = 'discovered') AS discovered,
    count(*) FILTER (WHERE event_type IN ('updated', 'tagged')) AS updated,
    count(*) FILTER (WHERE event_type = 'restored') AS restored,
    coalesce(
        array_agg(provider_id ORDER BY provider_id)
            FILTER (WHERE event_type IN ('updated', 'restored') OR is_measured_anew),
        '{}'
    ) AS touched,
    coalesce(array_agg(id) FILTER (WHERE is_owned_at_last), '{}') AS owned_at_last
FROM happened
