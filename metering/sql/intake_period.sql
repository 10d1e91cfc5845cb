-- The period of an event's record, by its kind's granularity on its day; a part of other statements, that name the
-- event `event`. A lookup for each: the table has a handful of rows.
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT config.granularity FROM metering_config AS config
         WHERE config.resource_kind = event.resource_kind
           AND config.effective_from <= (event.occurred_at AT TIME ZONE 'UTC')::date
         ORDER BY config.effective_from DESC LIMIT 1),
        'daily') AS granularity
) AS in_force
CROSS JOIN LATERAL (
    SELECT date_trunc(CASE in_force.granularity WHEN 'hourly' THEN 'hour' ELSE 'day' END, event.occurred_at, 'UTC')
           AS period_start,
           CASE in_force.granularity WHEN 'hourly' THEN interval '1 hour' ELSE interval '1 day' END AS length
) AS period
