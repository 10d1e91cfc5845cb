-- List droplets that were on before a saga, are off now, and which the saga could not switch on again.
-- parameters  most int
-- returns     saga_id, provider_id, name
-- locks       nothing
--
-- A later saga of the droplet, live or completed, is what somebody wants of it since.
SELECT saga.id AS saga_id, resource.provider_id, resource.name
FROM saga_runs AS saga
-- One that works on many droplets has a key for each: `droplet_id@4711`, and `was_on@4711` beside it.
CROSS JOIN LATERAL jsonb_each_text(saga.context) AS output (key, droplet_id)
JOIN cloud_resources AS resource ON resource.kind = 'droplet' AND resource.provider_id = output.droplet_id
WHERE saga.compensation_failures > 0
    AND saga.status = 'rolled_back'
    AND split_part(output.key, '@', 1) = 'droplet_id'
    AND saga.context -> ('was_on' || substr(output.key, length('droplet_id') + 1)) = 'true'
    AND resource.deleted_at IS NULL
    AND resource.status = 'off'
    AND NOT EXISTS (
        SELECT
        FROM saga_runs AS later
        WHERE later.id > saga.id
            AND later.status <> 'rolled_back'
            AND (later.start_at IS NULL OR later.begun_at IS NOT NULL)
            AND later.subjects @> ARRAY['droplet:' || resource.provider_id]
    )
ORDER BY saga.id
LIMIT %(most)s::int
