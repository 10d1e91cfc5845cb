-- Mark sagas that are due as nudged, the longest without a nudge first: nudges were lost, workers died, waits ended.
-- parameters  again_after_seconds float8 · most int
-- returns     the sagas' numbers
-- locks       their rows, past those that others hold
WITH due AS MATERIALIZED (  -- once: a subquery may be run again for each row, and then finds the next ones
    SELECT id
    FROM saga_runs
    WHERE status IN ('pending', 'running', 'waiting', 'compensating')
        AND coalesce(lease_expires_at, wake_at, created_at) <= statement_timestamp()
        AND (nudged_at IS NULL
             OR nudged_at <= statement_timestamp() - make_interval(secs => %(again_after_seconds)s::float8))
        AND NOT EXISTS (SELECT FROM provisioning_brake WHERE paused)
    ORDER BY nudged_at NULLS FIRST, coalesce(lease_expires_at, wake_at, created_at)
    LIMIT %(most)s::int
    FOR UPDATE SKIP LOCKED
)
UPDATE saga_runs
SET nudged_at = clock_timestamp()
WHERE id IN (SELECT id FROM due)
RETURNING id
