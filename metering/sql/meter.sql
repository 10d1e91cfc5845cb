-- Make the usage records of a day, or of hours of a day, exactly what the spans of resources say.
--
-- parameters  since timestamptz · until timestamptz: the day, or its hours, half-open
--             month_since timestamptz · month_seconds integer: the month that has them
--             kinds jsonb: [{kind, billing_kind, granularity, step, accrual}], `step` being the length of a record's period
--             resources bigint[]: only these; null for all
-- returns     inserted, corrected, removed, unsized   (one row)
-- locks       the records that it writes; whoever runs it holds their rows of metered_periods. Spans are only read
--
-- Quantities telescope. What a resource accrued since the month's start is a running total over its spans; it is rounded
-- once, half up, to six places at each bound (an owner's, a size's, an hour's, a day's), and a record has the difference
-- of two. So the parts of a month add up to the month, to the last digit, wherever it is cut.
WITH metered AS (
    SELECT *, CASE accrual WHEN 'hours' THEN 3600 ELSE %(month_seconds)s::integer END AS divisor
    FROM jsonb_to_recordset(%(kinds)s::jsonb)
         AS each(kind text, billing_kind text, granularity text, step interval, accrual text)
),
lived AS (
    SELECT span.resource_id, span.deployment_id, metered.billing_kind, metered.granularity, metered.step, metered.divisor,
           stretch.since, stretch.until, rate.per_second,
           metered.accrual = 'size' AND span.size_gb IS NULL AS is_unsized,
           -- Of the spans before this one.
           sum(rate.per_second * extract(epoch FROM stretch.until - stretch.since))
               OVER (PARTITION BY span.resource_id ORDER BY stretch.since ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)
           AS accrued
    FROM resource_spans AS span
    JOIN cloud_resources AS resource ON resource.id = span.resource_id
    JOIN metered ON metered.kind = resource.kind
    CROSS JOIN LATERAL (
        SELECT greatest(lower(span.during), %(month_since)s::timestamptz) AS since,
               least(upper(span.during), %(until)s::timestamptz) AS until  -- an open end is null, which `least` passes by
    ) AS stretch
    CROSS JOIN LATERAL (
        SELECT CASE metered.accrual
                   WHEN 'hours' THEN span.active::integer
                   WHEN 'size' THEN coalesce(span.size_gb, 0)  -- unknown: counted, and reported
                   ELSE 1
               END AS per_second
    ) AS rate
    WHERE span.during && tstzrange(%(month_since)s::timestamptz, %(until)s::timestamptz)
      AND (%(resources)s::bigint[] IS NULL OR span.resource_id = ANY(%(resources)s::bigint[]))
),
expected AS (
    SELECT lived.deployment_id, lived.resource_id, lived.billing_kind AS resource_kind, lived.granularity,
           period.since AS period_start, period.since + lived.step AS period_end,
           sum(
               div(2000000 * (coalesce(accrued, 0) + per_second * extract(epoch FROM part.until - lived.since)) + divisor,
                   2 * divisor)
               - div(2000000 * (coalesce(accrued, 0) + per_second * extract(epoch FROM part.since - lived.since)) + divisor,
                     2 * divisor)
           ) * 0.000001 AS qty,
           bool_or(is_unsized) AS is_unsized
    FROM lived
    CROSS JOIN LATERAL generate_series(
        %(since)s::timestamptz, %(until)s::timestamptz - lived.step, lived.step
    ) AS period(since)
    CROSS JOIN LATERAL (
        SELECT greatest(lived.since, period.since) AS since, least(lived.until, period.since + lived.step) AS until
    ) AS part
    WHERE lived.deployment_id IS NOT NULL AND part.since < part.until
    GROUP BY lived.deployment_id, lived.resource_id, lived.billing_kind, lived.granularity, period.since, lived.step
),
present AS (
    SELECT id, deployment_id, resource_id, resource_kind, granularity, period_start, qty
    FROM usage_records
    WHERE period_start >= %(since)s::timestamptz AND period_start < %(until)s::timestamptz
      AND resource_kind IN (SELECT billing_kind FROM metered)
      AND resource_id IS NOT NULL AND sub_account = ''
      AND (%(resources)s::bigint[] IS NULL OR resource_id = ANY(%(resources)s::bigint[]))
),
difference AS MATERIALIZED (
    SELECT present.id, deployment_id, resource_id, resource_kind, granularity, period_start, expected.period_end,
           expected.qty, expected.is_unsized, present.qty AS former_qty
    FROM expected
    FULL JOIN present USING (deployment_id, resource_id, resource_kind, granularity, period_start)
),
removed AS (
    DELETE FROM usage_records USING difference
    WHERE usage_records.id = difference.id AND difference.qty IS NULL
),
corrected AS (
    UPDATE usage_records SET qty = difference.qty
    FROM difference
    WHERE usage_records.id = difference.id AND difference.qty <> difference.former_qty
),
inserted AS (
    INSERT INTO usage_records
        (deployment_id, resource_id, resource_kind, granularity, period_start, period_end, qty, sub_account)
    SELECT deployment_id, resource_id, resource_kind, granularity, period_start, period_end, qty, ''
    FROM difference
    WHERE id IS NULL
    ORDER BY deployment_id, resource_id  -- in the order of the key: each of its pages is written once
)
SELECT count(*) FILTER (WHERE id IS NULL) AS inserted,
       count(*) FILTER (WHERE id IS NOT NULL AND qty <> former_qty) AS corrected,
       count(*) FILTER (WHERE qty IS NULL) AS removed,
       count(*) FILTER (WHERE is_unsized) AS unsized
FROM difference
