-- Claim a saga that is due and that no worker holds, and enter its present step.
-- parameters  saga_id bigint (null: the one that has been due the longest) · token uuid · holder text
--             lease_seconds float8 · known, pure text[] (steps of this build) · most_recoveries int
-- returns     the saga, its attempt (null: no step was entered), the step's status before; no row: leave it alone
-- locks       the saga's row, past those that others are claiming
--
-- Entering a row that says `running` means that its worker died or that it erred: another attempt. One that says
-- `waiting` is only entered again. A saga whose step this build doesn't know is left to a build that
-- does; what follows an @ in its name is the part of the saga that it works on. A cancelled saga and one that was recovered too often are taken, but nothing is entered.
WITH claimed AS (
    UPDATE saga_runs AS saga
    SET status = CASE saga.direction WHEN 'forward' THEN 'running' ELSE 'compensating' END,
        started_at = coalesce(saga.started_at, clock_timestamp()),
        recoveries = saga.recoveries + (saga.lease_token IS NOT NULL)::int,
        lease_token = %(token)s::uuid,
        lease_holder = %(holder)s::text,
        lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s::float8),
        wake_at = NULL, wait_reason = '', nudged_at = NULL
    WHERE saga.id = coalesce(%(saga_id)s::bigint, (
            SELECT due.id
            FROM saga_runs AS due
            WHERE due.status IN ('pending', 'running', 'waiting', 'compensating')
                AND (due.start_at IS NULL OR due.begun_at IS NOT NULL)
                AND (due.status <> 'pending' OR due.not_after IS NULL OR due.not_after > statement_timestamp())
                AND (
                    split_part(due.step_modules[due.current_step_idx + 1], '@', 1) = ANY(%(known)s::text[])
                    OR (due.cancel_requested AND due.direction = 'forward')
                )
                AND coalesce(due.lease_expires_at, due.wake_at, due.created_at) <= statement_timestamp()
            ORDER BY coalesce(due.lease_expires_at, due.wake_at, due.created_at)
            LIMIT 1
            FOR NO KEY UPDATE SKIP LOCKED
        ))
        AND saga.status IN ('pending', 'running', 'waiting', 'compensating')
        -- One whose start is to come holds no subjects yet; one that is too late is ended by the sweep.
        AND (saga.start_at IS NULL OR saga.begun_at IS NOT NULL)
        AND (saga.status <> 'pending' OR saga.not_after IS NULL OR saga.not_after > clock_timestamp())
        -- In a rolling deployment another build may know the step. What was never begun needs no code to cancel.
        AND (
            split_part(saga.step_modules[saga.current_step_idx + 1], '@', 1) = ANY(%(known)s::text[])
            OR (saga.cancel_requested AND saga.direction = 'forward')
        )
        AND (saga.lease_expires_at IS NULL OR saga.lease_expires_at <= clock_timestamp())
        AND (saga.wake_at IS NULL OR saga.wake_at <= clock_timestamp())
        AND NOT EXISTS (SELECT FROM provisioning_brake WHERE paused)
    RETURNING saga.*
),
enterable AS (
    SELECT id, direction, current_step_idx AS step_idx, step_modules[current_step_idx + 1] AS name
    FROM claimed
    WHERE split_part(step_modules[current_step_idx + 1], '@', 1) = ANY(%(known)s::text[])
        AND recoveries <= %(most_recoveries)s::int
        AND NOT (cancel_requested AND direction = 'forward')
),
executing AS (
    INSERT INTO saga_step_results AS step (saga_id, step_idx, name, status, attempts, started_at, began_at)
    SELECT id, step_idx, name, 'running', 1, clock_timestamp(), clock_timestamp()
    FROM enterable
    WHERE direction = 'forward'
    ON CONFLICT (saga_id, step_idx) DO UPDATE
    SET attempts = step.attempts + (step.status <> 'waiting')::int,
        last_began_at = CASE WHEN step.status = 'waiting' THEN step.last_began_at ELSE step.began_at END,
        began_at = clock_timestamp(),
        status = 'running'
    RETURNING attempts AS attempt, failures, started_at, began_at, last_began_at, started_at AS first_began_at
),
compensating AS (
    UPDATE saga_step_results AS step
    SET compensation_attempts = step.compensation_attempts
            + (step.status <> 'waiting' OR step.compensation_attempts = 0)::int,
        failures = CASE WHEN step.compensation_attempts = 0 THEN 0 ELSE step.failures END,
        compensation_started_at = coalesce(step.compensation_started_at, clock_timestamp()),
        compensation_began_at = clock_timestamp(),
        status = 'running'
    FROM enterable
    WHERE enterable.direction = 'backward' AND (step.saga_id, step.step_idx) = (enterable.id, enterable.step_idx)
    RETURNING step.compensation_attempts, step.failures, step.compensation_started_at,
        step.compensation_began_at, step.began_at, step.started_at
)
SELECT claimed.id AS saga_id, claimed.nonce, claimed.kind, claimed.direction, claimed.step_modules AS steps, claimed.inputs,
    claimed.context, claimed.current_step_idx AS step_idx, claimed.cancel_requested, claimed.error,
    claimed.recoveries, claimed.requested_by, claimed.tenant_id, claimed.deployment_id,
    coalesce(claimed.begun_at, claimed.created_at) AS begun_at, clock_timestamp() AS now,
    entered.attempt, entered.failures, entered.started_at, entered.began_at, entered.last_began_at,
    entered.first_began_at, present.status AS status_before,
    -- A pure step may begin before its row is on the disk: nothing happens that would have to be known.
    CASE WHEN claimed.direction = 'forward'
              AND split_part(claimed.step_modules[claimed.current_step_idx + 1], '@', 1) = ANY(%(pure)s::text[])
         THEN set_config('synchronous_commit', 'off', true) END AS _commit
FROM claimed
LEFT JOIN (TABLE executing UNION ALL TABLE compensating) AS entered ON true
LEFT JOIN saga_step_results AS present
    ON (present.saga_id, present.step_idx) = (claimed.id, claimed.current_step_idx)
