-- Live resources that carry a saga's mark, and that no saga answers for.
--
-- A saga answers while it is live; once it was given up, or is completed, only for what it says that it made. What
-- the inventory last saw before the saga ended may be gone by now: the next look tells.
SELECT resource.kind, resource.provider_id, resource.name, tag.name, saga.id, saga.status
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
