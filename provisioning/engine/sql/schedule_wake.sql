-- Release a saga whose step, or its compensation, isn't done, until `wake_at`; its outputs so far are stored.
-- parameters  saga_id bigint · token uuid · step_idx int · outputs jsonb · seconds float8 · reason text
--             error jsonb (null: the step itself asked for the wait)
-- returns     is_to_be_cancelled; no row: the lease is lost, nothing is written
-- locks       the saga's row and the step's
--
-- A saga that is to be cancelled is not released: its worker starts the compensation at once.
WITH saga AS (
    UPDATE saga_runs AS run
    SET context = run.context || %(outputs)s::jsonb,
        (status, wake_at, wait_reason, lease_token, lease_expires_at) = (
            SELECT run.status, NULL::timestamptz, '', run.lease_token, run.lease_expires_at
            WHERE run.cancel_requested AND run.direction = 'forward'
            UNION ALL
            SELECT CASE run.direction WHEN 'forward' THEN 'waiting' ELSE run.status END,
                clock_timestamp() + make_interval(secs => %(seconds)s::float8), %(reason)s::text, NULL, NULL
            WHERE NOT (run.cancel_requested AND run.direction = 'forward')
        )
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
