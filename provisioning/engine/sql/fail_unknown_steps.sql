-- End sagas that no build has claimed for a while, and whose present step this one doesn't know.
-- parameters  known text[] (steps of this build) · unclaimed_seconds float8
-- returns     saga_id, kind, step_idx, step_name
-- locks       the sagas' rows, past those that others hold
UPDATE saga_runs AS saga
SET status = 'failed', finished_at = clock_timestamp(), wake_at = NULL, lease_token = NULL, lease_expires_at = NULL,
    error = jsonb_build_object(
        'reason', 'unregistered_step:' || saga.step_modules[saga.current_step_idx + 1],
        'compensate_from_idx', saga.error -> 'compensate_from_idx'
    ) || CASE saga.direction
        WHEN 'backward'
        THEN jsonb_build_object('turned_back_by', coalesce(saga.error -> 'turned_back_by', saga.error -> 'reason'))
        ELSE '{}'
    END
WHERE saga.id IN (
    SELECT due.id
    FROM saga_runs AS due
    WHERE due.status IN ('pending', 'running', 'waiting', 'compensating')
        AND coalesce(due.lease_expires_at, due.wake_at, due.created_at)
            <= statement_timestamp() - make_interval(secs => %(unclaimed_seconds)s::float8)
        AND (due.start_at IS NULL OR due.begun_at IS NOT NULL)
        AND split_part(due.step_modules[due.current_step_idx + 1], '@', 1) <> ALL(%(known)s::text[])
        AND NOT (due.cancel_requested AND due.direction = 'forward')
        AND NOT EXISTS (SELECT FROM provisioning_brake WHERE paused)
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING saga.id AS saga_id, saga.kind, saga.current_step_idx AS step_idx,
    saga.step_modules[saga.current_step_idx + 1] AS step_name
