-- Find the live resources that cost without being of use, each once with all its reasons, and price a month of each.
-- A part of other statements, which begin with it and read `leftover`.
-- parameters  at timestamptz · off_before timestamptz: since when a droplet must be off · day date: whose prices count ·
--             operators_project text
-- returns     leftover: resource_id, kind, name, provider_id, region, sku, tenant_id, deployment_id, reasons text[],
--             off_since, size_gb, monthly   (null where there is no price; what is free isn't among them)
-- locks       nothing
WITH found AS (
    SELECT id, 'unattached' AS reason, NULL::timestamptz AS off_since
    FROM cloud_resources
    WHERE deleted_at IS NULL AND kind = 'volume' AND coalesce(attrs -> 'droplet_ids', '[]') = '[]'
    UNION ALL
    SELECT id, 'unassigned', NULL
    FROM cloud_resources
    WHERE deleted_at IS NULL AND kind = 'reserved_ip' AND coalesce(attrs ->> 'droplet_id', '') = ''
    UNION ALL
    -- A backup that no droplet lists has no droplet; of a snapshot, it isn't known what it was taken of.
    SELECT copy.id, 'source_gone', NULL
    FROM cloud_resources AS copy
    WHERE copy.deleted_at IS NULL AND copy.kind IN ('snapshot', 'droplet_backup')
      AND (copy.parent_id <> '' OR copy.kind = 'droplet_backup')
      AND NOT EXISTS (
          SELECT FROM cloud_resources AS source
          WHERE source.provider = copy.provider AND source.kind = copy.parent_kind
            AND source.provider_id = copy.parent_id AND source.deleted_at IS NULL
      )
    UNION ALL
    SELECT droplet.id, 'switched_off', off.since
    FROM cloud_resources AS droplet
    CROSS JOIN LATERAL (
        -- Since it last ran; one that never did, since it is known.
        SELECT coalesce(max(upper(during)) FILTER (WHERE active), min(lower(during))) AS since,
               bool_or(active AND upper_inf(during)) AS runs
        FROM resource_spans
        WHERE resource_id = droplet.id AND lower(during) <= %(at)s::timestamptz
    ) AS off
    WHERE droplet.deleted_at IS NULL AND droplet.kind = 'droplet' AND droplet.status = 'off'
      AND NOT off.runs AND off.since < %(off_before)s::timestamptz
    UNION ALL
    -- By a tag it serves whatever droplet gets it: without any, it serves none.
    SELECT balancer.id, 'no_targets', NULL
    FROM cloud_resources AS balancer
    WHERE balancer.deleted_at IS NULL AND balancer.kind = 'load_balancer'
      AND coalesce(balancer.attrs -> 'droplet_ids', '[]') = '[]'
      AND (
          cardinality(balancer.tags) = 0
          OR NOT EXISTS (
              SELECT FROM cloud_resources AS droplet
              WHERE droplet.deleted_at IS NULL AND droplet.kind = 'droplet'
                AND lower_all(droplet.tags) @> lower_all(balancer.tags)
          )
      )
    UNION ALL
    SELECT resource.id, 'unattributed', NULL
    FROM cloud_resources AS resource
    LEFT JOIN cloud_projects AS project ON project.id = resource.project_id
    WHERE resource.deleted_at IS NULL AND resource.attributed_by = ''
      AND project.name IS DISTINCT FROM %(operators_project)s::text
),
subject AS (
    SELECT resource.id AS resource_id, resource.kind, resource.name, resource.provider_id, resource.region,
           coalesce(span.sku, '') AS sku, resource.tenant_id, resource.deployment_id, cause.reasons, cause.off_since,
           span.size_gb
    FROM (
        SELECT id, array_agg(reason ORDER BY reason) AS reasons, max(off_since) AS off_since
        FROM found
        GROUP BY id
    ) AS cause
    JOIN cloud_resources AS resource ON resource.id = cause.id
    LEFT JOIN resource_spans AS span ON span.resource_id = resource.id AND upper_inf(span.during)
),
leftover AS (
    SELECT subject.*,
           -- A calendar month costs its cap; a size that isn't known has no price, and isn't free.
           round(CASE WHEN price.unit = 'gib_month' THEN size_gb ELSE 1 END
               * coalesce(nullif(split_part(sku, ' x', 2), '')::numeric, 1)
               * coalesce(price.monthly_cap, price.price), 2) AS monthly
    FROM subject
    -- include: price_in_force.sql
    WHERE price.price IS DISTINCT FROM 0
)
