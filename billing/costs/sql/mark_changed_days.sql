-- Have the days computed again in which these changes of spans count.
--
-- A price's cap counts a month's hours, so accrued costs change in the whole month of a change. By divide_by_owner.sql a
-- change of a first span changes whose all time before it was, and a gap after a changed span goes with it; of billed
-- days those months alone are due that have a line of the resource in these hours.
--
-- parameters  changes bigint[]: ids of span_cost_changes
-- returns     nothing; the row count says how many days
-- locks       those rows of cost_days, oldest first, as every change of them does
WITH change AS (
    SELECT recorded.resource_id, recorded.since, coalesce(recorded.until, 'infinity') AS until,
           coalesce(earlier.since, '-infinity') AS owned_since, coalesce(later.until, 'infinity') AS owned_until
    FROM span_cost_changes AS recorded
    LEFT JOIN LATERAL (
        SELECT recorded.since FROM resource_spans AS span
        WHERE span.resource_id = recorded.resource_id AND lower(span.during) < recorded.since
        LIMIT 1
    ) AS earlier ON true
    LEFT JOIN LATERAL (
        SELECT min(lower(span.during)) AS until FROM resource_spans AS span
        WHERE span.resource_id = recorded.resource_id AND lower(span.during) >= recorded.until
    ) AS later ON true
    WHERE recorded.id = ANY(%(changes)s::bigint[])
),
whole AS (
    SELECT min(owned_since) AS since, max(owned_until) AS until FROM change
),
accrued_month AS (
    SELECT DISTINCT (date_trunc('month', since, 'UTC') AT TIME ZONE 'UTC')::date AS first_day,
           CASE WHEN until < 'infinity'
               THEN ((date_trunc('month', until, 'UTC') + interval '1 month') AT TIME ZONE 'UTC')::date
               ELSE 'infinity'
           END AS last_day
    FROM change
),
billed_month AS (
    SELECT DISTINCT invoice.period
    FROM change
    JOIN cloud_cost_lines AS line ON line.resource_id = change.resource_id
        AND line.ended_at >= change.owned_since AND line.started_at < change.owned_until
    JOIN cloud_invoices AS invoice ON invoice.id = line.invoice_id
),
due AS (
    SELECT cost_days.id
    FROM cost_days
    CROSS JOIN whole
    WHERE computed_at IS NOT NULL AND CASE source
        WHEN 'accrued' THEN EXISTS (SELECT FROM accrued_month WHERE day >= first_day AND day < last_day)
        WHEN 'billed' THEN date_trunc('month', day::timestamp)::date IN (SELECT period FROM billed_month)
        -- What is no longer kept item by item stays as it was summed.
        ELSE EXISTS (SELECT FROM reported_cost_items AS item WHERE item.day = cost_days.day)
            AND day >= (whole.since AT TIME ZONE 'UTC')::date AND day <= (whole.until AT TIME ZONE 'UTC')::date
    END
    ORDER BY day
    FOR UPDATE OF cost_days
)
UPDATE cost_days SET computed_at = NULL FROM due WHERE cost_days.id = due.id
