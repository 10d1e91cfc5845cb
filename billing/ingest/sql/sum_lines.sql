-- Count and sum an invoice's stored lines.
-- parameters  invoice bigint
-- returns     count, total, tax_total, taxes, matched   (one row)
-- locks       nothing
SELECT count(*) AS count,
       coalesce(sum(amount), 0) AS total,
       coalesce(sum(amount) FILTER (WHERE is_tax), 0) AS tax_total,
       count(*) FILTER (WHERE is_tax) AS taxes,
       count(*) FILTER (WHERE resource_id IS NOT NULL) AS matched
FROM cloud_cost_lines
WHERE invoice_id = %(invoice)s::bigint
