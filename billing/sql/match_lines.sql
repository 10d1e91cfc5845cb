-- Decide which resource each row of `line` is about, of all that inventory ever knew: an invoice is about the past.
-- A part of other statements, which define `line` before it.
--
-- The id that came with the line decides. A droplet's or volume's that we don't know leaves it unmatched, whoever else
-- has the name; of other kinds it isn't documented whose ids those are, so the name may still tell. Otherwise kind and
-- name decide, in any case, and where several resources share them, the only one that lived in the line's hours. The
-- only bearer of a name has the line unless it can't be: what it was made after, or what began after it was gone, is a
-- namesake's that we never saw. That we saw it first or last some time proves nothing.
--
-- parameters  provider text
-- returns     match_result: the columns of `line`, match, matched_id
-- locks       nothing
fleet AS (
    SELECT id, kind, provider_id, lower(name) AS name, provider_created_at, deleted_at, born_at,
           CASE WHEN deleted_at IS NOT NULL THEN greatest(last_seen_at, born_at) END AS died_at
    FROM cloud_resources
    CROSS JOIN LATERAL (SELECT coalesce(provider_created_at, first_seen_at) AS born_at) AS birth
    WHERE provider = %(provider)s::text
),
by_name AS (
    SELECT kind, name, count(*) AS bearers, min(id) AS id, -- of the only one:
           min(provider_created_at) AS made_at, max(deleted_at) AS gone_at
    FROM fleet WHERE name <> '' GROUP BY kind, name
),
by_id AS (
    SELECT line.line_no, min(fleet.id) AS id
    FROM line
    CROSS JOIN LATERAL (VALUES (item_resource_id), (item_resource_uuid)) AS item(provider_id)
    JOIN fleet ON (fleet.kind, fleet.provider_id) = (line.kind, item.provider_id)
    WHERE item.provider_id <> ''
    GROUP BY line.line_no
),
by_lifetime AS (
    SELECT line.line_no, count(*) AS bearers, min(fleet.id) AS id
    FROM line
    JOIN by_name ON by_name.bearers > 1 AND (by_name.kind, by_name.name) = (line.kind, lower(line.name))
    JOIN fleet ON (fleet.kind, fleet.name) = (by_name.kind, by_name.name)
        AND tstzrange(fleet.born_at, fleet.died_at, '[]')
            && tstzrange(line.started_at, greatest(line.ended_at, line.started_at + interval '1 second'))
    GROUP BY line.line_no
),
candidate AS (
    SELECT line.*, by_id.id AS id_by_id, by_name.id AS id_by_name, by_lifetime.id AS id_by_lifetime,
           CASE
               WHEN line.is_tax THEN 'none'
               WHEN by_id.id IS NOT NULL THEN 'id'
               WHEN line.kind IN ('droplet', 'volume') AND line.item_resource_id || line.item_resource_uuid <> '' THEN 'none'
               WHEN by_name.bearers = 1
                   AND (by_name.made_at >= greatest(line.ended_at, line.started_at + interval '1 second')
                        OR by_name.gone_at < line.started_at) IS NOT TRUE THEN 'unique'
               WHEN by_lifetime.bearers = 1 THEN 'lifetime'
               WHEN by_name.bearers > 1 THEN 'ambiguous'
               ELSE 'none'
           END AS match
    FROM line
    LEFT JOIN by_id USING (line_no)
    LEFT JOIN by_name ON (by_name.kind, by_name.name) = (line.kind, lower(line.name))
    LEFT JOIN by_lifetime USING (line_no)
),
match_result AS (
    SELECT candidate.*,
           CASE match WHEN 'id' THEN id_by_id WHEN 'unique' THEN id_by_name WHEN 'lifetime' THEN id_by_lifetime END
               AS matched_id
    FROM candidate
)
