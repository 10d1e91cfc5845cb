-- Sum the cost lines of some invoices by project.
-- parameters  invoices bigint[] · limit integer
-- returns     part, key, name, amount, line_count   (the largest first within a part)
-- locks       nothing
WITH keyed_line AS (
    SELECT CASE WHEN line.is_tax THEN 'tax' WHEN line.resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part,
           project.id::text AS key, coalesce(project.name, '') AS name, line.amount, line.id AS line_id
    FROM cloud_cost_lines AS line
    LEFT JOIN cloud_resources AS resource ON resource.id = line.resource_id
    LEFT JOIN cloud_projects AS project ON project.id = resource.project_id
    WHERE line.invoice_id = ANY(%(invoices)s::bigint[])
),
-- include: sum_costs.sql
