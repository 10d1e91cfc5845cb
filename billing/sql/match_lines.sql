-- Which resource each of `line` is about, of all that inventory ever knew: an invoice is about the past.
--
-- The id that came with the line decides. A droplet's or volume's that we don't know leaves it unmatched, whoever else
-- has the name; of other kinds it isn't documented whose ids those are, so the name may still tell. Otherwise kind and
-- name decide, in any case, and where several resources share them, the only one that lived in the line's hours. The
-- only bearer of a name has the line unless it can't be: what it was made after, or what began after it was gone, is a
-- namesake's that we never saw. That we saw it first or last some time proves nothing.
known AS (
    SELECT id, kind, provider_id, lower(name) AS name, provider_created_at, deleted_at, born_at,
           CASE WHEN deleted_at IS NOT NULL THEN greatest(last_seen_at, born_at) END AS died_at
    FROM cloud_resources
    CROSS JOIN LATERAL (SELECT coalesce(provider_created_at, first_seen_at) AS born_at) AS birth
    WHERE provider = %(provider)s::text
),
named AS (
    SELECT kind, name, count(*) AS bearers, min(id) AS id, -- of the only one:
           min(provider_created_at) AS made_at, max(deleted_at) AS gone_at
    FROM known WHERE name <> '' GROUP BY kind, name
),
identified AS (
    SELECT line.line_no, min(known.id) AS id
    FROM line
    CROSS JOIN LATERAL (VALUES (item_resource_id), (item_resource_uuid)) AS told(provider_id)
    JOIN known ON (known.kind, known.provider_id) = (line.kind, told.provider_id)
    WHERE told.provider_id <> ''
    GROUP BY line.line_no
),
lived AS (
    SELECT line.line_no, count(*) AS bearers, min(known.id) AS id
    FROM line
    JOIN named ON named.bearers > 1 AND (named.kind, named.name) = (line.kind, lower(line.name))
    JOIN known ON (known.kind, known.name) = (named.kind, named.name)
        AND tstzrange(known.born_at, known.died_at, '[]')
            && tstzrange(line.started_at, greatest(line.ended_at, line.started_at + interval '1 second'))
    GROUP BY line.line_no
),
decided AS (
    SELECT line.*, identified.id AS identified_id, named.id AS named_id, lived.id AS lived_id,
           CASE
               WHEN line.is_tax THEN 'none'
               WHEN identified.id IS NOT NULL THEN 'id'
               WHEN line.kind IN ('droplet', 'volume') AND line.item_resource_id || line.item_resource_uuid <> '' THEN 'none'
               WHEN named.bearers = 1
                   AND (named.made_at >= greatest(line.ended_at, line.started_at + interval '1 second')
                        OR named.gone_at < line.started_at) IS NOT TRUE THEN 'unique'
               WHEN lived.bearers = 1 THEN 'lifetime'
               WHEN named.bearers > 1 THEN 'ambiguous'
               ELSE 'none'
           END AS match
    FROM line
    LEFT JOIN identified USING (line_no)
    LEFT JOIN named ON (named.kind, named.name) = (line.kind, lower(line.name))
    LEFT JOIN lived USING (line_no)
)
