-- Store a source's new events, add them to the usage of their periods and advance its meters; none of it where any
-- event is refused.
--
-- parameters  source_id bigint · events json as IntakeEvent · months date[], those that events may be of ·
--             at timestamptz, of receipt
-- returns     counted, refusals json [{place, field, rule}] (one row)
-- locks       the usage records that grow, in the order of their key; the caller holds the source
--
-- An event that was stored before, or stands in the batch before, counts no more; with another content it is refused.
-- A reading counts by its difference to the meter's last one, the very first not at all, one after a reset in full.
WITH given AS MATERIALIZED (
    SELECT event.*
    FROM json_to_recordset(%(events)s::json) AS event(
        place integer, event_id text, deployment_id bigint, kind text, sub_account text, occurred_at timestamptz,
        month date, quantity numeric, reading numeric, sequence bigint, reset boolean)
),
first AS MATERIALIZED (
    SELECT DISTINCT ON (event_id) * FROM given ORDER BY event_id, place
),
known AS MATERIALIZED (
    SELECT first.event_id, first.place,
           (first.deployment_id, first.kind, first.sub_account, first.occurred_at, first.reading, first.sequence,
            first.reset)
           IS DISTINCT FROM (stored.deployment_id, stored.resource_kind, stored.sub_account, stored.occurred_at,
                             stored.reading, stored.sequence, stored.is_reset)
           OR first.reading IS NULL AND first.quantity <> stored.quantity AS differs
    FROM first
    CROSS JOIN LATERAL (
        SELECT * FROM usage_events AS event
        WHERE event.source_id = %(source_id)s::bigint AND event.event_id = first.event_id
          AND event.month = ANY(%(months)s::date[])
        LIMIT 1  -- a lookup for each, whatever the statistics say of a table that grows all day
    ) AS stored
),
measured AS MATERIALIZED (
    SELECT fresh.*,
           coalesce(lag(fresh.reading) OVER of_meter, meter.reading) AS last_reading,
           coalesce(lag(fresh.sequence) OVER of_meter, meter.sequence) AS last_sequence,
           coalesce(lag(fresh.occurred_at) OVER of_meter, meter.read_at) AS last_at
    FROM first AS fresh
    LEFT JOIN usage_meters AS meter
        ON fresh.reading IS NOT NULL AND meter.source_id = %(source_id)s::bigint
       AND meter.deployment_id = fresh.deployment_id AND meter.resource_kind = fresh.kind
       AND meter.sub_account = fresh.sub_account
    WHERE NOT EXISTS (SELECT FROM known WHERE known.event_id = fresh.event_id)
    WINDOW of_meter AS (
        PARTITION BY fresh.deployment_id, fresh.kind, fresh.sub_account, fresh.reading IS NULL ORDER BY fresh.place)
),
refusals AS MATERIALIZED (
    SELECT place, 'event_id' AS field, 'Was received before with another content.' AS rule FROM known WHERE differs
    UNION ALL
    SELECT given.place, 'event_id', 'Stands in the batch before, with another content.'
    FROM given JOIN first USING (event_id)
    WHERE (given.deployment_id, given.kind, given.sub_account, given.occurred_at, given.quantity, given.reading,
           given.sequence, given.reset)
          IS DISTINCT FROM (first.deployment_id, first.kind, first.sub_account, first.occurred_at, first.quantity,
                            first.reading, first.sequence, first.reset)
    UNION ALL
    SELECT place, 'sequence', format('Must be above %%s, that of the meter''s last reading.', last_sequence)
    FROM measured WHERE reading IS NOT NULL AND sequence <= last_sequence
    UNION ALL
    SELECT place, 'at', format('Must not be before %%s, the time of the meter''s last reading.',
                               to_char(last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    FROM measured WHERE reading IS NOT NULL AND sequence > last_sequence AND occurred_at < last_at
    UNION ALL
    SELECT place, 'reading',
           format('Is below %%s, the meter''s last reading; a meter that began anew says "reset": true.', last_reading)
    FROM measured WHERE reading IS NOT NULL AND sequence > last_sequence AND reading < last_reading AND NOT reset
),
inserted AS (
    INSERT INTO usage_events (
        source_id, event_id, month, deployment_id, resource_kind, sub_account, occurred_at, quantity, reading, sequence,
        is_reset, received_at)
    SELECT %(source_id)s::bigint, event_id, month, deployment_id, kind, sub_account, occurred_at,
           CASE
               WHEN reading IS NULL THEN quantity
               WHEN reset THEN reading
               ELSE coalesce(reading - last_reading, 0)
           END,
           reading, sequence, reset, %(at)s::timestamptz
    FROM measured
    WHERE NOT EXISTS (SELECT FROM refusals)
    RETURNING *
),
recorded AS (
    INSERT INTO usage_records (
        deployment_id, resource_id, resource_kind, period_start, period_end, granularity, qty, sub_account)
    SELECT event.deployment_id, NULL::bigint, event.resource_kind, period_start, period_start + length, granularity,
           sum(event.quantity), event.sub_account
    FROM inserted AS event
    -- include: intake_period.sql
    GROUP BY event.deployment_id, period_start, event.resource_kind, granularity, length, event.sub_account
    HAVING sum(event.quantity) > 0
    -- In one order, or two batches of two sources that share deployments would wait for each other.
    ORDER BY event.deployment_id, period_start, event.resource_kind, granularity, event.sub_account
    ON CONFLICT (deployment_id, period_start, resource_kind, resource_id, granularity, sub_account)
    DO UPDATE SET qty = usage_records.qty + excluded.qty
),
advanced AS (
    INSERT INTO usage_meters (source_id, deployment_id, resource_kind, sub_account, reading, sequence, read_at)
    SELECT DISTINCT ON (deployment_id, kind, sub_account)
           %(source_id)s::bigint, deployment_id, kind, sub_account, reading, sequence, occurred_at
    FROM measured
    WHERE reading IS NOT NULL AND NOT EXISTS (SELECT FROM refusals)
    ORDER BY deployment_id, kind, sub_account, place DESC
    ON CONFLICT (source_id, deployment_id, resource_kind, sub_account)
    DO UPDATE SET reading = excluded.reading, sequence = excluded.sequence, read_at = excluded.read_at
)
SELECT (SELECT count(*) FROM inserted) AS counted,
       (SELECT coalesce(json_agg(refusals ORDER BY place, field), '[]'::json) FROM refusals) AS refusals
