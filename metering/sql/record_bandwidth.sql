-- Store a droplet's bandwidth of a day, once, and record it as usage of the deployments that had the droplet.
--
-- parameters  resource_id bigint · day date · gigabytes numeric · coverage numeric · samples integer · note text ·
--             at timestamptz · shares json [{deployment, gigabytes}], each deployment once
-- returns     stored boolean (one row): false where another run has measured it meanwhile
-- locks       the records, by key
WITH stored AS (
    INSERT INTO bandwidth_measurements (resource_id, day, gigabytes, coverage, samples, note, measured_at)
    VALUES (%(resource_id)s::bigint, %(day)s::date, %(gigabytes)s::numeric, %(coverage)s::numeric, %(samples)s::integer,
            %(note)s::text, %(at)s::timestamptz)
    ON CONFLICT (resource_id, day) DO NOTHING  -- decides which of two runs records it
    RETURNING resource_id
),
recorded AS (
    INSERT INTO usage_records (
        deployment_id, resource_id, resource_kind, period_start, period_end, granularity, qty, sub_account)
    SELECT share.deployment, stored.resource_id, 'bandwidth_gb', %(day)s::timestamp AT TIME ZONE 'UTC',
           (%(day)s::timestamp + interval '1 day') AT TIME ZONE 'UTC', 'daily', share.gigabytes, ''
    FROM stored, json_to_recordset(%(shares)s::json) AS share(deployment bigint, gigabytes numeric)
    ORDER BY share.deployment
    ON CONFLICT (deployment_id, period_start, resource_kind, resource_id, granularity, sub_account)
    DO UPDATE SET qty = excluded.qty
)
SELECT EXISTS (SELECT FROM stored) AS stored
