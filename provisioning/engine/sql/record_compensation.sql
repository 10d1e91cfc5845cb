-- Record that a step failed, was interrupted or is compensated, and enter the next compensation.
-- parameters  saga_id bigint · token uuid · step_idx int · status text · outputs, error, saga_error jsonb
--             next_idx int (null: nothing is left, and the saga ends) · enter bool (this build knows the next step)
-- returns     is_paused, and of the next step's row next_began_at, execute_began_at, execute_started_at
--             no row: the lease is lost, nothing is written
-- locks       the saga's row and the two steps'
--
-- The row that failed may be the next to compensate. All instants of one call are the same.
WITH saga AS (
    UPDATE saga_runs AS run
    SET direction = 'backward',
        context = run.context || %(outputs)s::jsonb,
        current_step_idx = coalesce(%(next_idx)s::int, run.current_step_idx),
        error = coalesce(%(saga_error)s::jsonb, run.error),
        compensation_failures = run.compensation_failures + (%(status)s::text = 'compensation_failed')::int,
        status = CASE WHEN ended THEN 'rolled_back' ELSE 'compensating' END,
        finished_at = CASE WHEN ended THEN moment END,
        wake_at = NULL,
        wait_reason = CASE WHEN paused AND NOT ended THEN 'paused' ELSE '' END,
        lease_token = CASE WHEN paused OR ended THEN NULL ELSE run.lease_token END,
        lease_expires_at = CASE WHEN paused OR ended THEN NULL ELSE run.lease_expires_at END
    FROM (
        SELECT EXISTS (SELECT FROM provisioning_brake WHERE provisioning_brake.paused), %(next_idx)s::int IS NULL,
            clock_timestamp()
    ) AS brake (paused, ended, moment)
    WHERE run.id = %(saga_id)s::bigint AND run.lease_token = %(token)s::uuid
        AND run.lease_expires_at > clock_timestamp()
    RETURNING run.id, paused, ended, moment
),
rows AS (
    UPDATE saga_step_results AS step
    SET status = CASE WHEN entering THEN 'running' WHEN ending THEN %(status)s::text ELSE step.status END,
        output = CASE WHEN ending THEN step.output || %(outputs)s::jsonb ELSE step.output END,
        error = CASE
            WHEN ending AND %(status)s::text = 'compensated' THEN nullif(step.error - 'compensation', '{}')
            WHEN ending THEN coalesce(step.error || %(error)s::jsonb, %(error)s::jsonb, step.error)
            ELSE step.error
        END,
        finished_at = CASE WHEN ending THEN coalesce(step.finished_at, saga.moment) ELSE step.finished_at END,
        compensation_finished_at = CASE WHEN ending AND %(status)s::text <> 'failed' THEN saga.moment END,
        compensation_attempts = step.compensation_attempts + entering::int,
        compensation_started_at = CASE WHEN entering THEN saga.moment ELSE step.compensation_started_at END,
        compensation_began_at = CASE WHEN entering THEN saga.moment ELSE step.compensation_began_at END,
        failures = CASE WHEN entering THEN 0 ELSE step.failures END
    FROM saga
    CROSS JOIN LATERAL (VALUES (%(step_idx)s::int), (%(next_idx)s::int)) AS named (step_idx)
    CROSS JOIN LATERAL (
        SELECT named.step_idx IS NOT DISTINCT FROM %(next_idx)s::int AND %(enter)s::bool AND NOT saga.paused,
               named.step_idx = %(step_idx)s::int
    ) AS role (entering, ending)
    WHERE (step.saga_id, step.step_idx) = (saga.id, named.step_idx)
    RETURNING step.step_idx, step.compensation_began_at, step.began_at, step.started_at
),
freed AS (
    DELETE FROM saga_subjects USING saga WHERE saga_subjects.saga_id = saga.id AND saga.ended
)
SELECT saga.paused AS is_paused, rows.compensation_began_at AS next_began_at, rows.began_at AS execute_began_at,
    rows.started_at AS execute_started_at
FROM saga LEFT JOIN rows ON rows.step_idx = %(next_idx)s::int
