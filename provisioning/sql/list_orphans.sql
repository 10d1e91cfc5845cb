-- List live resources that carry a saga's tag and that no saga accounts for.
-- parameters  most int
-- returns     kind, provider_id, name, tag, saga_id, status (both null: no saga of this database has that mark)
-- locks       nothing
--
-- A saga accounts for all while it is live; once it has ended, only for what its context names. A resource that the
-- inventory last saw before the saga ended may be gone by now: the next observation decides.
SELECT resource.kind, resource.provider_id, resource.name, tag.name AS tag, saga.id AS saga_id, saga.status
FROM cloud_resources AS resource
CROSS JOIN LATERAL unnest(resource.tags) AS tag (name)
CROSS JOIN LATERAL (
    SELECT regexp_match(lower(tag.name), '^saga:([0-9]{1,18})-[0-9]+(?:-([0-9a-f]+))?$') AS parts
) AS mark
-- By the nonce too: the same number may be another database's saga, or one that a restore forgot.
LEFT JOIN saga_runs AS saga ON saga.id = mark.parts[1]::bigint AND saga.nonce = coalesce(mark.parts[2], '')
    -- One that was cancelled before it began made nothing, and what was left to the original is that one's: of both,
    -- the namesake in the database that this is a copy of made it.
    AND (saga.started_at IS NOT NULL OR saga.finished_at IS NULL)
    AND (saga.error ->> 'reason') IS DISTINCT FROM 'left_to_the_original'
WHERE resource.deleted_at IS NULL
    AND tag.name ILIKE 'saga:%%'
    AND (
        saga.id IS NULL
        OR (
            saga.finished_at < resource.last_seen_at
            AND (
                saga.status = 'rolled_back'
                OR NOT EXISTS (
                    SELECT
                    FROM jsonb_each_text(saga.context) AS output (key, id)
                    WHERE split_part(output.key, '@', 1) = resource.kind || '_id' AND id = resource.provider_id
                )
            )
        )
    )
ORDER BY resource.id
LIMIT %(most)s::int
