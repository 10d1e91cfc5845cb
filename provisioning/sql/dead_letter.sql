-- The engine can't go on with this saga. Its subjects stay taken.
UPDATE saga_runs
SET status = 'failed', error = %(error)s::jsonb, finished_at = clock_timestamp(), lease_token = NULL,
    lease_expires_at = NULL
WHERE id = %(saga_id)s::bigint AND lease_token = %(token)s::uuid AND lease_expires_at > clock_timestamp()
RETURNING id
