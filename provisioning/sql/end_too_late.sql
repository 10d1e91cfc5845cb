-- End the sagas that no worker had claimed by their `not_after`: nothing was done, nothing is to undo.
-- parameters  none
-- returns     the sagas' numbers
-- locks       their rows, past those that others hold
WITH ended AS (
    UPDATE saga_runs
    SET status = 'rolled_back', finished_at = clock_timestamp(), wake_at = NULL, wait_reason = '',
        error = jsonb_build_object('reason', 'too_late', 'compensate_from_idx', NULL)
    WHERE id IN (
        SELECT id
        FROM saga_runs
        WHERE status = 'pending' AND not_after <= clock_timestamp()
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
),
freed AS (
    DELETE FROM saga_subjects USING ended WHERE saga_subjects.saga_id = ended.id
)
SELECT id FROM ended
