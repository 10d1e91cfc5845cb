-- Make one day's usage of received events exactly what its events sum to.
--
-- parameters  since timestamptz, until timestamptz, the day · month date, the first day of its month
-- returns     inserted, corrected, removed (one row)
-- locks       the records that change; the caller keeps batches out meanwhile
WITH due AS MATERIALIZED (
    SELECT event.deployment_id, period_start, event.resource_kind, granularity, length, event.sub_account,
           sum(event.quantity) AS qty
    FROM usage_events AS event
    -- include: intake_period.sql
    WHERE event.month = %(month)s::date
      AND event.occurred_at >= %(since)s::timestamptz AND event.occurred_at < %(until)s::timestamptz
    GROUP BY event.deployment_id, period_start, event.resource_kind, granularity, length, event.sub_account
    HAVING sum(event.quantity) > 0
),
removed AS (
    DELETE FROM usage_records AS record
    WHERE record.resource_id IS NULL
      AND record.period_start >= %(since)s::timestamptz AND record.period_start < %(until)s::timestamptz
      AND NOT EXISTS (
          SELECT FROM due
          WHERE (due.deployment_id, due.period_start, due.resource_kind, due.granularity, due.sub_account)
                = (record.deployment_id, record.period_start, record.resource_kind, record.granularity,
                   record.sub_account))
    RETURNING record.id
),
written AS (
    INSERT INTO usage_records AS record (
        deployment_id, resource_id, resource_kind, period_start, period_end, granularity, qty, sub_account)
    SELECT deployment_id, NULL::bigint, resource_kind, period_start, period_start + length, granularity, qty, sub_account
    FROM due
    ON CONFLICT (deployment_id, period_start, resource_kind, resource_id, granularity, sub_account)
    DO UPDATE SET qty = excluded.qty WHERE record.qty <> excluded.qty
    RETURNING old.id IS NULL AS is_new
)
SELECT (SELECT count(*) FROM written WHERE is_new) AS inserted,
       (SELECT count(*) FROM written WHERE NOT is_new) AS corrected,
       (SELECT count(*) FROM removed) AS removed,
       0 AS unsized
