-- Store an invoice's staged lines, each matched to its resource, and have its month's days computed again.
-- parameters  invoice bigint · provider text; reads staged_lines, staged_items and line_items
-- returns     nothing
-- locks       the month's rows of cost_days; the invoice's row and the resources that lines point to, FOR KEY SHARE, by their foreign keys
WITH line AS NOT MATERIALIZED (
    SELECT staged_lines.*, coalesce(item.resource_id, '') AS item_resource_id,
           coalesce(item.resource_uuid, '') AS item_resource_uuid
    FROM staged_lines
    LEFT JOIN line_items USING (line_no)
    LEFT JOIN staged_items AS item USING (item_no)
),
-- include: match_lines.sql
, due AS (  -- the days that are computed from these lines
    UPDATE cost_days
    SET computed_at = NULL
    FROM cloud_invoices AS invoice
    WHERE invoice.id = %(invoice)s::bigint AND source = 'billed'
      AND day >= invoice.period AND day < invoice.period + interval '1 month'
)
INSERT INTO cloud_cost_lines (
    invoice_id, line_no, product, group_description, description, hours, started_at, ended_at, amount, project_name,
    category, item_resource_id, item_resource_uuid, kind, name, is_tax, match, resource_id
)
SELECT %(invoice)s::bigint, line_no, product, group_description, description, hours, started_at, ended_at, amount,
       project_name, category, item_resource_id, item_resource_uuid, kind, name, is_tax, match, matched_id
FROM match_result
ORDER BY line_no
