-- Find days, since the first that was metered, that no run has metered although resources of deployments lived on them.
-- Where none ever was, the last day counts. Days older than any usage that is kept have no rows to miss.
-- parameters  settled_until timestamptz: the start of the first day that needn't be metered yet
-- returns     subject_kind, subject_key, link, expected, actual   (one row a day)
-- locks       nothing
WITH metered AS MATERIALIZED (
    SELECT period_start FROM metered_periods WHERE granularity = 'daily'
)
SELECT 'day' AS subject_kind, to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS subject_key, '' AS link,
       'the day''s usage is recorded' AS expected, 'no run has metered it, and resources lived on it' AS actual
FROM generate_series(
    coalesce((SELECT min(period_start) FROM metered), %(settled_until)s::timestamptz - interval '1 day'),
    %(settled_until)s::timestamptz - interval '1 day',
    interval '1 day'
) AS each(day)
WHERE NOT EXISTS (SELECT FROM metered WHERE metered.period_start = day)
  AND EXISTS (
      SELECT FROM resource_spans
      WHERE during && tstzrange(day, day + interval '1 day') AND deployment_id IS NOT NULL
  )
