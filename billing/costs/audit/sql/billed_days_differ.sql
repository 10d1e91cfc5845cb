-- Find months whose billed days don't sum to their invoices. A month is judged once all its days are computed after its
-- invoices were read; one whose last invoice is to come has no billed days.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a month)
-- locks       nothing
WITH computed AS (
    SELECT date_trunc('month', day::timestamp)::date AS month, bool_and(computed_at IS NOT NULL) AS is_computed,
           count(*) AS days
    FROM cost_days WHERE source = 'billed'
    GROUP BY 1
),
invoiced AS (
    SELECT period AS month, sum(amount) AS amount, bool_and(ingest_status IN ('ingested', 'mismatch')) AS is_read,
           bool_or(coalesce(issued_on, (discovered_at AT TIME ZONE 'UTC')::date) >= (period + interval '1 month')::date)
               AS is_closed
    FROM cloud_invoices WHERE NOT is_preview
    GROUP BY period
),
billed AS (
    SELECT date_trunc('month', day::timestamp)::date AS month, sum(amount) AS amount
    FROM daily_costs WHERE source = 'billed'
    GROUP BY 1
),
compared AS (
    SELECT month, CASE WHEN is_closed THEN invoiced.amount ELSE 0 END AS due, coalesce(billed.amount, 0) AS spread
    FROM computed
    LEFT JOIN invoiced USING (month)
    LEFT JOIN billed USING (month)
    WHERE is_computed AND days = extract(day FROM month + interval '1 month' - interval '1 day') AND is_read IS NOT FALSE
)
SELECT 'month' AS subject_kind, to_char(month, 'YYYY-MM') AS subject_key, '' AS link,
       trim_scale(due)::text || ' USD in invoices' AS expected, trim_scale(spread)::text || ' USD in its days' AS actual
FROM compared
WHERE due <> spread
