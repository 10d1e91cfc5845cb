-- Release a saga whose present step this build doesn't know, due at once for a build that does.
-- parameters  saga_id bigint · token uuid · reason text
-- returns     the saga's number; no row: the lease is lost, nothing is written
-- locks       the saga's row
UPDATE saga_runs
SET status = CASE direction WHEN 'forward' THEN 'waiting' ELSE status END, wake_at = clock_timestamp(),
    wait_reason = %(reason)s::text, lease_token = NULL, lease_expires_at = NULL, nudged_at = NULL
WHERE id = %(saga_id)s::bigint AND lease_token = %(token)s::uuid AND lease_expires_at > clock_timestamp()
RETURNING id
