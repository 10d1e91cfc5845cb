-- Read how many calls a whole reading of each kind takes, by its newest run that found out.
--
-- parameters  kinds text[]
-- returns     kind, needed_calls: a row per kind whose runs have found out
-- locks       nothing
SELECT wanted.kind, newest.needed_calls
FROM unnest(%(kinds)s::text[]) AS wanted(kind)
CROSS JOIN LATERAL (
    -- A step or two into an index per kind, however many runs there are.
    SELECT needed_calls
    FROM sync_runs AS run
    WHERE run.kind = wanted.kind AND run.needed_calls IS NOT NULL
    ORDER BY run.started_at DESC
    LIMIT 1
) AS newest
