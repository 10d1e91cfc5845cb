-- Write one batch of observations of one kind, read from the write what happened, and record it in the history.
--
-- parameters  batch jsonb: observations, sorted by provider_id, each id once · provider text · kind text
--             at timestamptz: when the provider was asked, by the database's clock; an older observation never overwrites a
--             newer one
--             volatile text[]: names of attrs that move by themselves and count for nothing
--             bump_unchanged boolean: false in fast runs, where an unchanged row is touched only when its last bump is
--             an hour old
--             project_at timestamptz: when it was asked which project has what, never later than `at`
--             ids_recur boolean: another thing may come under the same id
--             actor text · source text
-- returns     discovered, updated, restored: how many · touched: the ids of those whose spans may change
--             first_owned: the rows whose owner was decided for the first time
-- locks       the resources, in the batch's order, so that two batches never wait for each other in a ring
--
-- What happened is read from RETURNING old/new, never from a SELECT before the write: two writers at once
-- would both see "not there yet".
--
-- A row whose observation has no project keeps its own: whatever can be in a project always is in one, so none means
-- that membership wasn't read, or was read a moment too early. Unless it `can_attribute`, it keeps its owner, too:
-- the one that it has when it is written, for another observer may have decided, or inserted it, a moment ago.
WITH observed AS (
    SELECT seen.*,
           evidence.keeps_owner,
           CASE WHEN evidence.is_sagas THEN 'saga' WHEN evidence.awaits_project THEN '' ELSE ruling.rule END AS rule,
           CASE WHEN evidence.is_sagas THEN ''
                WHEN evidence.awaits_project THEN 'its tags name an owner, but its project was not read yet'
                ELSE ruling.note END AS note,
           CASE WHEN evidence.is_sagas THEN maker.tenant_id
                WHEN NOT evidence.awaits_project THEN owner.tenant_id END AS owner_tenant_id,
           CASE WHEN evidence.is_sagas THEN seen.deployment_id
                WHEN NOT evidence.awaits_project THEN owner.deployment_id END AS owner_deployment_id,
           CASE WHEN evidence.is_sagas THEN maker.tenant_id END AS saga_tenant_id,
           CASE WHEN evidence.is_sagas THEN seen.deployment_id END AS saga_deployment_id,
           CASE WHEN seen.project_id IS NOT NULL THEN %(project_at)s::timestamptz END AS project_seen_at
    FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(
        provider_id text, urn text, name text, region text, status text, tags text[], attrs jsonb,
        monthly_price_cents integer, created_at timestamptz, active boolean, size_gb numeric, sku text,
        project_id bigint, deployment_id bigint, tenant_id text, parent_kind text, parent_id text, can_attribute boolean,
        tag_tenant text, tag_slug text, tag_conflict text, digest bytea
    )
    LEFT JOIN cloud_deployments AS deployment ON deployment.id = seen.deployment_id
    CROSS JOIN LATERAL (SELECT coalesce(seen.tenant_id, deployment.tenant_id) AS tenant_id) AS maker
    CROSS JOIN LATERAL (
        SELECT maker.tenant_id IS NOT NULL AS is_sagas,
               maker.tenant_id IS NULL AND NOT seen.can_attribute AS keeps_owner,
               -- The project may contradict the tags: whoever they name must not see it in the meantime.
               maker.tenant_id IS NULL AND NOT seen.can_attribute
               AND (seen.tag_tenant IS NOT NULL OR seen.tag_slug IS NOT NULL) AS awaits_project
    ) AS evidence
    -- include: ../../attribution/sql/attribution_rule.sql
),
written AS (
    INSERT INTO cloud_resources AS known (
        provider, kind, provider_id, urn, name, region, status, tags, attrs, monthly_price_cents,
        provider_created_at, project_id, deployment_id, tenant_id, attributed_by, attribution_note,
        parent_kind, parent_id, observed_digest, first_seen_at, last_seen_at, stale_strike_count,
        project_seen_at, saga_tenant_id, saga_deployment_id
    )
    SELECT %(provider)s::text, %(kind)s::text, provider_id, urn, name, region, status, tags, attrs, monthly_price_cents,
           created_at, project_id, owner_deployment_id, owner_tenant_id, rule, note, parent_kind, parent_id,
           digest, %(at)s::timestamptz, %(at)s::timestamptz, 0, project_seen_at, saga_tenant_id, saga_deployment_id
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
        provider_created_at = CASE
            WHEN (
                -- include: is_namesake.sql
            ) THEN excluded.provider_created_at
            ELSE coalesce(excluded.provider_created_at, known.provider_created_at)
        END,
        (project_id, project_seen_at) = (
            SELECT evidence.project_id, evidence.project_seen_at
            FROM (VALUES
                (true, excluded.project_id, excluded.project_seen_at),
                (false, known.project_id, known.project_seen_at)
            ) AS evidence(is_newer, project_id, project_seen_at)
            WHERE evidence.is_newer = (
                (
                    -- include: is_namesake.sql
                )
                OR excluded.project_id IS NOT NULL
                AND (excluded.project_seen_at >= known.project_seen_at) IS NOT FALSE
            )
        ),
        (saga_tenant_id, saga_deployment_id) = (
            SELECT word.tenant_id, word.deployment_id
            FROM (VALUES
                (true, excluded.saga_tenant_id, excluded.saga_deployment_id),
                (false, known.saga_tenant_id, known.saga_deployment_id)
            ) AS word(is_new, tenant_id, deployment_id)
            WHERE word.is_new = (
                (
                    -- include: is_namesake.sql
                )
                OR excluded.saga_tenant_id IS NOT NULL
            )
        ),
        parent_kind = excluded.parent_kind,
        parent_id = excluded.parent_id,
        (deployment_id, tenant_id, attributed_by, attribution_note) = (
            SELECT owner.deployment_id, owner.tenant_id, owner.attributed_by, owner.attribution_note
            FROM (VALUES
                (true, known.deployment_id, known.tenant_id, known.attributed_by, known.attribution_note),
                (false, excluded.deployment_id, excluded.tenant_id, excluded.attributed_by, excluded.attribution_note)
            ) AS owner(stays, deployment_id, tenant_id, attributed_by, attribution_note)
            WHERE owner.stays = (
                NOT (
                    -- include: is_namesake.sql
                )
                AND (
                    -- Asked of the batch here, and not of the row before: that may have come to be since.
                    excluded.provider_id IN (SELECT provider_id FROM observed WHERE keeps_owner)
                    -- A saga has moved it since its project was asked for: what follows from the old one is no more.
                    OR (known.project_seen_at > %(project_at)s::timestamptz) IS TRUE
                    OR (
                        -- include: ../../attribution/sql/sticky_owner.sql
                    ) AND NOT (known.attributed_by = 'saga' AND excluded.attributed_by = 'saga')
                )
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
            NOT (
                -- include: ../../attribution/sql/sticky_owner.sql
            )
            AND excluded.provider_id NOT IN (SELECT provider_id FROM observed WHERE keeps_owner)
            AND (known.tenant_id, known.deployment_id, known.attributed_by)
                IS DISTINCT FROM (excluded.tenant_id, excluded.deployment_id, excluded.attributed_by)
        )
      )
    RETURNING
        old.id IS NULL AS is_new, old.deleted_at AS old_deleted_at,
        -- What can be in a project has a row without one only until its owner is decided for the first time.
        old.id IS NOT NULL AND old.deleted_at IS NULL AND old.project_id IS NULL AND old.tenant_id IS NULL
        AND new.tenant_id IS NOT NULL AND (new.project_id IS NOT NULL OR new.attributed_by = 'saga')
        AS is_first_owned,
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
        END AS old_and_new
),
outcome AS (
    SELECT id, provider_id, written.deployment_id, written.tenant_id, provider_created_at, is_new,
           is_first_owned, coalesce(difference.changes, '{}') AS changes,
           CASE
               WHEN is_new THEN 'discovered'
               WHEN old_deleted_at IS NOT NULL THEN 'restored'
               WHEN difference.changes IS NULL THEN NULL
               WHEN difference.changes - 'tags' = '{}' THEN 'tagged'
               ELSE 'updated'
           END AS event_type,
           -- A size may grow by itself (a bucket's): a new span, though no event. Only kinds metered by size
           -- are looked up; `active` follows from the status and `sku` from attrs, whose changes are events.
           NOT is_new AND observed.size_gb IS NOT NULL AND EXISTS (
               SELECT FROM resource_spans AS span
               WHERE span.resource_id = written.id AND upper_inf(span.during)
                 AND span.size_gb IS DISTINCT FROM observed.size_gb
           ) AS is_measured_anew
    FROM written
    JOIN observed USING (provider_id)
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(
                   field,
                   CASE
                       WHEN jsonb_typeof(old_value) = 'array' AND jsonb_typeof(new_value) = 'array'
                            AND greatest(jsonb_array_length(old_value), jsonb_array_length(new_value)) > 50
                       -- Of a long list the difference alone: one more record in a zone of 12,000 would store both.
                       THEN (
                           SELECT jsonb_agg(jsonb_build_object(
                                      'count', jsonb_array_length(side.list),
                                      'only', (
                                          SELECT coalesce(jsonb_agg(item), '[]')
                                          FROM (SELECT jsonb_array_elements(side.list) AS item
                                                EXCEPT ALL
                                                SELECT jsonb_array_elements(side.other)
                                                LIMIT 100) AS own
                                      )
                                  ) ORDER BY side.number)
                           FROM (VALUES (1, old_value, new_value), (2, new_value, old_value))
                                AS side(number, list, other)
                       )
                       ELSE jsonb_build_array(old_value, new_value)
                   END
               ) AS changes
        FROM (
            SELECT field, old_and_new -> 0 -> field, old_and_new -> 1 -> field
            FROM jsonb_object_keys(old_and_new -> 1) AS field
            UNION ALL
            -- An attr may be called like a column: neither's change may hide the other's.
            SELECT CASE WHEN old_and_new -> 1 ? field THEN 'attrs.' || field ELSE field END,
                   old_and_new -> 2 -> field, old_and_new -> 3 -> field
            FROM jsonb_object_keys((old_and_new -> 2) || (old_and_new -> 3)) AS field
        ) AS pair(field, old_value, new_value)
        WHERE old_value IS DISTINCT FROM new_value
    ) AS difference ON old_and_new IS NOT NULL
),
recorded AS (
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT id, event_type, changes, %(at)s::timestamptz, %(actor)s::text, %(source)s::text
    FROM outcome
    WHERE event_type IS NOT NULL
),
span_opened AS (
    INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb, sku)
    SELECT outcome.id, tstzrange(least(observed.created_at, %(at)s::timestamptz), NULL), outcome.deployment_id,
           outcome.tenant_id, observed.active, observed.size_gb, observed.sku
    FROM outcome
    JOIN observed USING (provider_id)
    WHERE outcome.is_new
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
    coalesce(array_agg(id) FILTER (WHERE is_first_owned), '{}') AS first_owned
FROM outcome
