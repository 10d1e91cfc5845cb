-- Find invoices whose lines are not what was ingested, or don't come to the invoice's amount. Fractions of a cent are the
-- rounding of lines; a difference that an operator has accepted is none.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row an invoice)
-- locks       nothing
WITH summed AS (
    SELECT invoice_id, sum(amount) AS amount, count(*) AS lines FROM cloud_cost_lines GROUP BY invoice_id
)
SELECT 'invoice' AS subject_kind, invoice.id::text AS subject_key, 'invoice:' || invoice.id AS link,
       line_count || ' lines of ' || trim_scale(lines_total)::text || ' USD and '
           || trim_scale(adjustments_total)::text || ' USD of adjustments, in all '
           || trim_scale(invoice.amount)::text || ' USD' AS expected,
       coalesce(lines, 0) || ' lines of ' || trim_scale(coalesce(summed.amount, 0))::text || ' USD' AS actual
FROM cloud_invoices AS invoice
LEFT JOIN summed ON summed.invoice_id = invoice.id
WHERE NOT is_preview AND ingest_status IN ('ingested', 'mismatch')
  AND (
      coalesce(lines, 0) <> line_count
      OR coalesce(summed.amount, 0) <> lines_total
      OR accepted_at IS NULL
          AND abs(invoice.amount - coalesce(summed.amount, 0) - adjustments_total) >= 0.01
  )
