-- Sum the cost lines of some invoices by the tenant that owned what they are about, in their hours.
-- parameters  invoices bigint[] · limit integer
-- returns     part, key, name, amount, line_count   (the largest first within a part)
-- locks       nothing
-- include: part_lines_by_owner.sql
keyed_line AS (
    SELECT CASE WHEN is_tax THEN 'tax' WHEN resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part,
           tenant_id AS key, coalesce(tenant_id, '') AS name, amount, line_id
    FROM line_part
),
-- include: sum_costs.sql
