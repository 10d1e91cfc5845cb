-- Read when each kind's last complete run ended, and whether every run that it ever had was skipped.
--
-- parameters  kinds text[] · complete text, skipped text: the outcomes' names
-- returns     kind, completed_at, was_only_skipped: a row per kind
-- locks       nothing
SELECT wanted.kind,
       -- A step or two into an index per kind, however many runs there are.
       (SELECT finished_at FROM sync_runs AS run
        WHERE run.kind = wanted.kind AND run.outcome = %(complete)s::text
        ORDER BY run.started_at DESC LIMIT 1) AS completed_at,
       EXISTS (SELECT FROM sync_runs AS run WHERE run.kind = wanted.kind)
       AND NOT EXISTS (
           SELECT FROM sync_runs AS run WHERE run.kind = wanted.kind AND run.outcome <> %(skipped)s::text
       ) AS was_only_skipped
FROM unnest(%(kinds)s::text[]) AS wanted(kind)
