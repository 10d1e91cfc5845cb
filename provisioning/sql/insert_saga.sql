-- Insert a saga and take its subjects.
-- parameters  kind, nonce, idempotency_key, requested_by, tenant_id text · steps, subjects text[] · inputs, context jsonb
--             deployment_id, retry_of bigint
-- returns     id, created_at; no row: the idempotency key is taken
-- locks       nothing; a subject that another live saga holds violates the key of saga_subjects
WITH inserted AS (
    INSERT INTO saga_runs (
        kind, status, direction, step_modules, inputs, context, current_step_idx, cancel_requested,
        cancel_requested_by, compensation_failures, recoveries, subjects, idempotency_key, requested_by, tenant_id,
        deployment_id, lease_holder, wait_reason, retry_of_id, created_at, nudged_at, nonce
    )
    VALUES (
        %(kind)s::text, 'pending', 'forward', %(steps)s::text[], %(inputs)s::jsonb, %(context)s::jsonb, 0, false,
        '', 0, 0, %(subjects)s::text[], %(idempotency_key)s::text, %(requested_by)s::text, %(tenant_id)s::text,
        %(deployment_id)s::bigint, '', '', %(retry_of)s::bigint, clock_timestamp(), clock_timestamp(),
        %(nonce)s::text
    )
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id, created_at
),
taken AS (
    INSERT INTO saga_subjects (subject, saga_id)
    SELECT subject, inserted.id FROM inserted, unnest(%(subjects)s::text[]) AS subject
)
SELECT id, created_at FROM inserted
