-- Read how old each kind's last complete reading is, and why its newest run, if that has ended, was none.
--
-- parameters  kinds text[] · complete text: the outcome's name
-- returns     kind, completed_at, outcome, error: a row per kind; completed_at is of the oldest part, the last two are
--             of the newest run that has ended
-- locks       nothing
SELECT wanted.kind,
       -- A step or two into an index per kind, however many runs there are.
       (SELECT least(finished_at, oldest_part_at) FROM sync_runs AS run
        WHERE run.kind = wanted.kind AND run.outcome = %(complete)s::text
        ORDER BY run.started_at DESC LIMIT 1) AS completed_at,
       coalesce(newest.outcome, '') AS outcome, coalesce(newest.error, '') AS error
FROM unnest(%(kinds)s::text[]) AS wanted(kind)
LEFT JOIN LATERAL (
    SELECT outcome, error
    FROM sync_runs AS run
    -- A fast run that was left out says nothing of why the full ones don't keep up.
    WHERE run.kind = wanted.kind AND run.outcome <> '' AND (run.mode, run.outcome) <> ('fast', 'skipped')
    ORDER BY run.started_at DESC
    LIMIT 1
) AS newest ON true
