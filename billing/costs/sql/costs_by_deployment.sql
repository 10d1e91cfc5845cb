-- Sum the cost lines of some invoices by the deployment that owned what they are about, in their hours.
-- parameters  invoices bigint[] · limit integer
-- returns     part, key, name, amount, line_count   (the largest first within a part)
-- locks       nothing
-- include: part_lines_by_owner.sql
keyed_line AS (
    SELECT CASE WHEN is_tax THEN 'tax' WHEN resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part,
           deployment.id::text AS key, coalesce(deployment.tenant_id || '/' || deployment.slug, '') AS name,
           line_part.amount, line_id
    FROM line_part
    LEFT JOIN cloud_deployments AS deployment ON deployment.id = line_part.deployment_id
),
-- include: sum_costs.sql
