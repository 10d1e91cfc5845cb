-- Find the metered days, and the metered hours of days that aren't, in which these changes of spans count.
--
-- parameters  changes bigint[]: ids of span_changes · kept_since timestamptz: no day before it is looked for
-- returns     a row for each day, oldest first: starts_at · is_day_metered · first_hour, last_hour: starts of the first
--             and last metered hour that is touched, null without any · resources: whose spans changed
-- locks       nothing
--
-- A change counts until the end of its month: what accrues later in a month is rounded as part of a running total.
SELECT period.starts_at,
       bool_or(metered.granularity = 'daily') AS is_day_metered,
       min(metered.period_start) FILTER (WHERE metered.granularity = 'hourly') AS first_hour,
       max(metered.period_start) FILTER (WHERE metered.granularity = 'hourly') AS last_hour,
       array_agg(DISTINCT change.resource_id) AS resources
FROM span_changes AS change
JOIN metered_periods AS metered
    ON metered.period_start + CASE metered.granularity WHEN 'daily' THEN interval '24 hours' ELSE interval '1 hour' END
       > change.since
    AND metered.period_start < coalesce(date_trunc('month', change.until, 'UTC') + interval '1 month', 'infinity')
CROSS JOIN LATERAL (SELECT date_trunc('day', metered.period_start, 'UTC') AS starts_at) AS period
WHERE change.id = ANY(%(changes)s::bigint[]) AND metered.period_start >= %(kept_since)s::timestamptz
GROUP BY period.starts_at
ORDER BY period.starts_at
