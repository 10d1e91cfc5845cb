-- Insert a saga and take its subjects; one whose start is to come takes none yet, and waits.
-- parameters  kind, nonce, idempotency_key, requested_by, tenant_id text · steps, subjects text[] · inputs, context jsonb
--             deployment_id, retry_of bigint · start_at, not_after timestamptz (null: at once, without an end)
-- returns     id, created_at, begun_at, wake_at; no row: the idempotency key is taken
-- locks       nothing; a subject that another live saga holds violates the key of saga_subjects
WITH inserted AS (
    INSERT INTO saga_runs (
        kind, status, direction, step_modules, inputs, context, current_step_idx, cancel_requested,
        cancel_requested_by, compensation_failures, recoveries, subjects, idempotency_key, requested_by, tenant_id,
        deployment_id, lease_holder, wait_reason, retry_of_id, created_at, nudged_at, nonce, start_at, not_after,
        begun_at, wake_at
    )
    SELECT
        %(kind)s::text, 'pending', 'forward', %(steps)s::text[], %(inputs)s::jsonb, %(context)s::jsonb, 0, false,
        '', 0, 0, %(subjects)s::text[], %(idempotency_key)s::text, %(requested_by)s::text, %(tenant_id)s::text,
        %(deployment_id)s::bigint, '', '', %(retry_of)s::bigint, moment, CASE WHEN is_due THEN moment END,
        %(nonce)s::text, %(start_at)s::timestamptz, %(not_after)s::timestamptz, CASE WHEN is_due THEN moment END,
        CASE WHEN NOT is_due THEN %(start_at)s::timestamptz END
    FROM (
        SELECT clock_timestamp(), coalesce(%(start_at)s::timestamptz <= clock_timestamp(), true)
    ) AS start (moment, is_due)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id, created_at, begun_at, wake_at
),
taken AS (
    INSERT INTO saga_subjects (subject, saga_id)
    SELECT subject, inserted.id
    FROM inserted, unnest(%(subjects)s::text[]) AS subject
    WHERE inserted.begun_at IS NOT NULL
)
SELECT id, created_at, begun_at, wake_at FROM inserted
