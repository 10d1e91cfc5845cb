-- List live resources that carry a saga's tag and that no saga accounts for.
-- parameters  most int
-- returns     kind, provider_id, name, tag, saga_id, status (both null: no saga here has that number)
-- locks       nothing
--
-- A saga accounts for all while it is live; once it has ended, only for what its context names. A resource that the
-- inventory last saw before the saga ended may be gone by now: the next observation decides.
SELECT resource.kind, resource.provider_id, resource.name, tag.name AS tag, saga.id AS saga_id, saga.status
FROM cloud_resources AS resource
CROSS JOIN LATERAL unnest(resource.tags) AS tag (name)
LEFT JOIN saga_runs AS saga ON saga.id = (regexp_match(tag.name, '^saga:([0-9]{1,18})-[0-9]+$', 'i'))[1]::bigint
WHERE resource.deleted_at IS NULL
    AND tag.name ILIKE 'saga:%%'
    AND (
        saga.id IS NULL
        OR (
            saga.finished_at < resource.last_seen_at
            AND (
                saga.status = 'rolled_back'
                OR saga.context ->> (resource.kind || '_id') IS DISTINCT FROM resource.provider_id
            )
        )
    )
ORDER BY resource.id
LIMIT %(most)s::int
