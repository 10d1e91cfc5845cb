-- Complete a step and enter the next one: its row, the context and the next step's row.
-- parameters  saga_id bigint · token uuid · step_idx int · outputs jsonb · is_last bool
--             next text (the next step's name; null: don't enter it) · may_be_repeated bool (both are pure)
-- returns     is_paused, cancel_requested, next_began_at; no row: the lease is lost, nothing is written
-- locks       the saga's row and the step's
--
-- The end of this step, the beginning of the next one and the saga's end are one instant.
WITH saga AS (
    UPDATE saga_runs AS run
    SET context = run.context || %(outputs)s::jsonb,
        current_step_idx = %(step_idx)s::int + 1,
        status = CASE WHEN %(is_last)s::bool THEN 'completed' WHEN paused THEN 'waiting' ELSE run.status END,
        wait_reason = CASE WHEN paused AND NOT %(is_last)s::bool THEN 'paused' ELSE '' END,
        finished_at = CASE WHEN %(is_last)s::bool THEN moment END,
        lease_token = CASE WHEN paused OR %(is_last)s::bool THEN NULL ELSE run.lease_token END,
        lease_expires_at = CASE WHEN paused OR %(is_last)s::bool THEN NULL ELSE run.lease_expires_at END
    FROM (
        SELECT EXISTS (SELECT FROM provisioning_brake WHERE provisioning_brake.paused), clock_timestamp()
    ) AS brake (paused, moment)
    WHERE run.id = %(saga_id)s::bigint AND run.lease_token = %(token)s::uuid
        AND run.lease_expires_at > clock_timestamp()
    RETURNING run.id, run.cancel_requested, paused, moment
),
done AS (
    UPDATE saga_step_results AS step
    SET status = 'completed', output = step.output || %(outputs)s::jsonb, error = NULL,
        finished_at = saga.moment
    FROM saga
    WHERE (step.saga_id, step.step_idx) = (saga.id, %(step_idx)s::int)
),
entered AS (
    INSERT INTO saga_step_results (saga_id, step_idx, name, status, attempts, started_at, began_at)
    SELECT saga.id, %(step_idx)s::int + 1, %(next)s::text, 'running', 1, saga.moment, saga.moment
    FROM saga
    WHERE %(next)s::text IS NOT NULL AND NOT saga.cancel_requested AND NOT saga.paused
    RETURNING began_at
),
freed AS (
    DELETE FROM saga_subjects USING saga WHERE saga_subjects.saga_id = saga.id AND %(is_last)s::bool
)
SELECT saga.paused AS is_paused, saga.cancel_requested, entered.began_at AS next_began_at,
    -- Nothing was done, nor is about to be, that would have to be known after a crash of the database.
    CASE WHEN %(may_be_repeated)s::bool THEN set_config('synchronous_commit', 'off', true) END AS _commit
FROM saga LEFT JOIN entered ON true
