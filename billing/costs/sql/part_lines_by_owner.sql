-- Divide each line of some invoices among the owners that its resource had in the line's hours.
-- A part of other statements, which begin with it. The rule is in divide_by_owner.sql.
-- parameters  invoices bigint[]
-- returns     line_part: line_id, resource_id, kind, is_tax, started_at, ended_at, tenant_id, deployment_id, amount
--             tenure: resource_id, tenant_id, deployment_id, since, until
-- locks       nothing
WITH line AS MATERIALIZED (
    SELECT id, resource_id, kind, is_tax, amount, started_at,
           greatest(ended_at, started_at + interval '1 microsecond') AS ended_at
    FROM cloud_cost_lines
    WHERE invoice_id = ANY(%(invoices)s::bigint[])
),
-- include: divide_by_owner.sql
