-- Begin a scheduled saga: it takes its subjects, and any worker may claim it.
-- parameters  saga_id, deployment_id bigint · steps, subjects text[] · tenant_id text · context jsonb
-- returns     the saga's number; no row: it has begun, has ended, or is too late
-- locks       the saga's row; a subject that another live saga holds violates the key of saga_subjects
WITH begun AS (
    UPDATE saga_runs
    SET begun_at = clock_timestamp(), wake_at = clock_timestamp(), wait_reason = '', nudged_at = NULL,
        step_modules = %(steps)s::text[], subjects = %(subjects)s::text[], tenant_id = %(tenant_id)s::text,
        deployment_id = %(deployment_id)s::bigint, context = %(context)s::jsonb
    WHERE id = %(saga_id)s::bigint AND status = 'pending' AND start_at IS NOT NULL AND begun_at IS NULL
        AND (not_after IS NULL OR not_after > clock_timestamp())
    RETURNING id
),
taken AS (
    INSERT INTO saga_subjects (subject, saga_id)
    SELECT subject, begun.id FROM begun, unnest(%(subjects)s::text[]) AS subject
)
SELECT id FROM begun
