-- Count the ignored rows, and the open ones that a saga puts back at the moment.
--
-- parameters  live text[]: the states of a saga under way
-- returns     one row: ignored · reverting
-- locks       nothing
SELECT
    (SELECT count(*) FROM cloud_drift WHERE status = 'ignored') AS ignored,
    (
        -- From the few rows that ever had a saga: joined to all that is open, each of them would be looked at.
        SELECT count(*)
        FROM cloud_drift AS drift
        JOIN saga_runs AS saga ON saga.id = drift.revert_saga_id
        WHERE drift.revert_saga_id IS NOT NULL AND drift.status = 'open' AND saga.status = ANY (%(live)s::text[])
    ) AS reverting
