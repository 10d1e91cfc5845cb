-- End a saga that the engine can't advance. Its subjects stay taken.
-- parameters  saga_id bigint · token uuid · error jsonb
-- returns     the saga's number; no row: the lease is lost, nothing is written
-- locks       the saga's row
UPDATE saga_runs
SET status = 'failed', error = %(error)s::jsonb, finished_at = clock_timestamp(), lease_token = NULL,
    lease_expires_at = NULL
WHERE id = %(saga_id)s::bigint AND lease_token = %(token)s::uuid AND lease_expires_at > clock_timestamp()
RETURNING id
