-- End every saga that isn't over, dead letters too, in a copy of the database: the original goes on with them.
-- parameters  none
-- returns     the ids of the sagas
-- locks       the sagas' rows and their steps'
--
-- Nothing is compensated: what they made is the original's. The reason keeps list_orphans.sql from taking it for ours.
WITH ended AS (
    UPDATE saga_runs
    SET status = 'rolled_back', finished_at = clock_timestamp(), wake_at = NULL, wait_reason = '',
        lease_token = NULL, lease_expires_at = NULL,
        error = '{"reason": "left_to_the_original", "compensate_from_idx": null}'
    WHERE status IN ('pending', 'running', 'waiting', 'compensating', 'failed')
    RETURNING id, finished_at
),
steps AS (
    UPDATE saga_step_results AS step
    SET status = 'failed', finished_at = coalesce(step.finished_at, ended.finished_at),
        error = '{"type": "LeftToTheOriginal", "message": "the original of this database goes on with it"}'
    FROM ended
    WHERE step.saga_id = ended.id AND step.status IN ('running', 'waiting')
),
freed AS (
    DELETE FROM saga_subjects USING ended WHERE saga_subjects.saga_id = ended.id
)
SELECT id FROM ended ORDER BY id
