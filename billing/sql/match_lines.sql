-- Decide which resource each row of `line` is about, of all that inventory ever knew: an invoice is about the past.
-- A part of other statements, which define `line` before it; its `resource_kind` is the kind of resource that has such
-- lines. For many lines it must be a column with statistics: with an expression the planner sorts both sides.
--
-- The id that came with the line decides. A droplet's or volume's that we don't know leaves it unmatched, whoever else
-- has the name; of other kinds it isn't documented whose ids those are, so the name may still tell. Otherwise kind and
-- name decide, in any case. A droplet's backups are billed under the droplet's name, and belong to it.
--
-- Whoever has the name must have lived from the line's start to its end: what was made after it began, or was gone
-- before it ended, is a namesake's that we never saw. An hour is allowed for, since hours are billed whole. Where several
-- bearers of the name can have the line, the only one that was seen within it has it. That we saw a resource first or
-- last some time proves nothing against its only bearer.
--
-- parameters  provider text
-- returns     match_result: the columns of `line`, match, matched_id
-- locks       nothing
subject AS NOT MATERIALIZED (
    SELECT line.*,
           line.started_at + interval '1 hour' AS made_by,
           line.ended_at - interval '1 hour' AS there_until,
           tstzrange(line.started_at, greatest(line.ended_at, line.started_at + interval '1 second')) AS hours_billed
    FROM line
),
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
    SELECT subject.line_no, min(fleet.id) AS id
    FROM subject
    CROSS JOIN LATERAL (VALUES (item_resource_id), (item_resource_uuid)) AS item(provider_id)
    JOIN fleet ON (fleet.kind, fleet.provider_id) = (subject.resource_kind, item.provider_id)
    WHERE item.provider_id <> ''
    GROUP BY subject.line_no
),
by_lifetime AS (
    SELECT line_no, CASE
               WHEN count(*) = 1 THEN min(id)
               WHEN count(*) FILTER (WHERE was_seen) = 1 THEN min(id) FILTER (WHERE was_seen)
           END AS id
    FROM (
        SELECT subject.line_no, fleet.id,
               tstzrange(fleet.born_at, fleet.died_at, '[]') && subject.hours_billed AS was_seen
        FROM subject
        JOIN by_name
            ON by_name.bearers > 1 AND (by_name.kind, by_name.name) = (subject.resource_kind, lower(subject.name))
        JOIN fleet ON (fleet.kind, fleet.name) = (by_name.kind, by_name.name)
            AND fleet.born_at <= subject.made_by AND (fleet.deleted_at < subject.there_until) IS NOT TRUE
    ) AS bearer
    GROUP BY line_no
),
candidate AS (
    SELECT subject.*, by_id.id AS id_by_id, by_name.id AS id_by_name, by_lifetime.id AS id_by_lifetime,
           CASE
               WHEN subject.is_tax THEN 'none'
               WHEN by_id.id IS NOT NULL THEN 'id'
               WHEN subject.kind IN ('droplet', 'volume')
                   AND subject.item_resource_id || subject.item_resource_uuid <> '' THEN 'none'
               WHEN by_name.bearers = 1
                   AND (by_name.made_at > subject.made_by OR by_name.gone_at < subject.there_until) IS NOT TRUE
                   THEN 'unique'
               WHEN by_lifetime.id IS NOT NULL THEN 'lifetime'
               WHEN by_name.bearers > 1 THEN 'ambiguous'
               ELSE 'none'
           END AS match
    FROM subject
    LEFT JOIN by_id USING (line_no)
    LEFT JOIN by_name ON (by_name.kind, by_name.name) = (subject.resource_kind, lower(subject.name))
    LEFT JOIN by_lifetime USING (line_no)
),
match_result AS (
    SELECT candidate.*,
           CASE match WHEN 'id' THEN id_by_id WHEN 'unique' THEN id_by_name WHEN 'lifetime' THEN id_by_lifetime END
               AS matched_id
    FROM candidate
)
