-- Sum the cost lines of some invoices by kind. What is unmatched is still of a kind; a tax is of none.
-- parameters  invoices bigint[] · limit integer
-- returns     part, key, name, amount, line_count   (the largest first within a part)
-- locks       nothing
WITH keyed_line AS (
    SELECT CASE WHEN is_tax THEN 'tax' WHEN resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part,
           CASE WHEN NOT is_tax THEN kind END AS key, CASE WHEN is_tax THEN '' ELSE kind END AS name, amount, id AS line_id
    FROM cloud_cost_lines
    WHERE invoice_id = ANY(%(invoices)s::bigint[])
),
-- include: sum_costs.sql
