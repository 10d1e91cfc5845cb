-- Find out whether a saga put `resource` back after it was last seen: the row may show what that saga had done.
-- A part of other statements. Tested by containment, which the index on subjects serves.
EXISTS (
    SELECT
    FROM saga_runs AS saga
    WHERE saga.subjects @> ARRAY[resource.kind || ':' || resource.provider_id]::text[]
        AND saga.status = 'rolled_back'
        AND saga.started_at IS NOT NULL
        AND saga.finished_at > resource.last_seen_at
)
