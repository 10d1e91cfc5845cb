-- A step, or its undo, isn't done: what it put so far is kept, and the saga is left alone until `wake_at`.
--
-- A saga that is to be cancelled is not let go: its worker turns it back at once.
WITH saga AS (
    UPDATE saga_runs AS run
    SET context = run.context || %(outputs)s::jsonb,
        status = CASE WHEN run.cancel_requested OR run.direction = 'backward' THEN run.status ELSE 'waiting' END,
        wake_at = clock_timestamp() + make_interval(secs => %(seconds)s::float8),
        wait_reason = %(reason)s::text,
        lease_token = CASE WHEN run.cancel_requested AND run.direction = 'forward' THEN run.lease_token END,
        lease_expires_at = CASE WHEN run.cancel_requested AND run.direction = 'forward'
                                THEN run.lease_expires_at END
    WHERE run.id = %(saga_id)s::bigint AND run.lease_token = %(token)s::uuid
        AND run.lease_expires_at > clock_timestamp()
    RETURNING run.id, run.lease_token IS NOT NULL AS is_to_be_cancelled
),
step AS (
    UPDATE saga_step_results AS step
    SET status = CASE WHEN %(error)s::jsonb IS NULL THEN 'waiting' ELSE 'running' END,
        output = step.output || %(outputs)s::jsonb,
        error = coalesce(step.error || %(error)s::jsonb, %(error)s::jsonb, step.error),
        failures = step.failures + (%(error)s::jsonb IS NOT NULL)::int
    FROM saga
    WHERE (step.saga_id, step.step_idx) = (saga.id, %(step_idx)s::int)
)
SELECT is_to_be_cancelled FROM saga
