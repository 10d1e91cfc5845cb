-- End the open spans of resources whose metered facts changed, and open new ones where none is open any more: their
-- facts changed, or they came back from a tombstone.
--
-- parameters  batch jsonb as in observe.sql, the changed ones only · provider text · kind text · at timestamptz
-- returns     nothing
-- locks       the open spans; the resources are locked by the caller
--
-- A span that began at this very instant has no length to keep: its facts are corrected where it stands.
-- One that came back and was made before its tombstone lived all along, so its life goes on where it ended; one made
-- later begins at its creation; where the provider has no creation, at this sight. Where its owner is another one than
-- before the tombstone, the gap stays the former owner's: a wrong tombstone makes no one the owner of the past.
WITH latest AS MATERIALIZED (
    SELECT resource.*, seen.active, seen.size_gb, seen.sku, span.id AS span_id, upper(span.during) AS ended_at,
           span.deployment_id AS former_deployment_id, span.tenant_id AS former_tenant_id,
           span.active AS former_active, span.size_gb AS former_size_gb, span.sku AS former_sku,
           (span.deployment_id, span.tenant_id) IS DISTINCT FROM (resource.deployment_id, resource.tenant_id)
           AND upper(span.during) < %(at)s::timestamptz AND resource.provider_created_at <= upper(span.during)
           AS has_former_gap,
           upper_inf(span.during) AS is_open, lower(span.during) < %(at)s::timestamptz AS has_length,
           (span.deployment_id, span.tenant_id, span.active, span.size_gb, span.sku)
           IS DISTINCT FROM (resource.deployment_id, resource.tenant_id, seen.active, seen.size_gb, seen.sku)
           AS is_outdated
    FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(
        provider_id text, active boolean, size_gb numeric, sku text
    )
    CROSS JOIN LATERAL (
        SELECT id, deployment_id, tenant_id, provider_created_at
        FROM cloud_resources
        WHERE provider = %(provider)s::text AND kind = %(kind)s::text AND provider_id = seen.provider_id
        LIMIT 1  -- a lookup for each, as in attribution_rule.sql
    ) AS resource
    LEFT JOIN LATERAL (
        SELECT * FROM resource_spans
        WHERE resource_id = resource.id
        ORDER BY upper(during) DESC NULLS FIRST  -- the open one, where there is one
        LIMIT 1
    ) AS span ON true
),
ended AS (
    UPDATE resource_spans AS span
    SET during = tstzrange(lower(span.during), CASE WHEN has_length THEN %(at)s::timestamptz END),
        deployment_id = CASE WHEN has_length THEN span.deployment_id ELSE latest.deployment_id END,
        tenant_id = CASE WHEN has_length THEN span.tenant_id ELSE latest.tenant_id END,
        active = CASE WHEN has_length THEN span.active ELSE latest.active END,
        size_gb = CASE WHEN has_length THEN span.size_gb ELSE latest.size_gb END,
        sku = CASE WHEN has_length THEN span.sku ELSE latest.sku END
    FROM latest
    WHERE span.id = latest.span_id AND latest.is_open AND latest.is_outdated
      -- Given twice, so that spans are read by these keys and never all of them: see bump.sql.
      AND span.id = ANY(ARRAY(SELECT span_id FROM latest WHERE is_open AND is_outdated))
    RETURNING CASE WHEN has_length THEN latest.id END AS id
)
INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb, sku)
SELECT latest.id,
       tstzrange(
           CASE
               WHEN ended.id IS NOT NULL OR latest.has_former_gap THEN %(at)s::timestamptz
               WHEN latest.ended_at IS NULL THEN least(latest.provider_created_at, %(at)s::timestamptz)
               WHEN latest.provider_created_at IS NULL THEN greatest(latest.ended_at, %(at)s::timestamptz)
               ELSE least(greatest(latest.provider_created_at, latest.ended_at), %(at)s::timestamptz)
           END,
           NULL),
       latest.deployment_id, latest.tenant_id, latest.active, latest.size_gb, latest.sku
FROM latest
LEFT JOIN ended USING (id)
WHERE latest.is_open IS NOT TRUE OR ended.id IS NOT NULL
UNION ALL
SELECT id, tstzrange(ended_at, %(at)s::timestamptz), former_deployment_id, former_tenant_id, former_active,
       former_size_gb, former_sku
FROM latest
WHERE is_open IS FALSE AND has_former_gap
