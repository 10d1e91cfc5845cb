-- Sum the cost lines of some invoices by the tenant that owned what they are about, in their hours.
-- parameters  invoices bigint[] · limit integer · operators_project text
-- returns     part, key, name, amount, line_count   (the largest first within a part); of what no tenant owned, that of the
--             resources that are ours has the name `ours`
-- locks       nothing
-- include: part_lines_by_owner.sql
keyed_line AS (
    SELECT CASE WHEN is_tax THEN 'tax' WHEN line_part.resource_id IS NULL THEN 'unmatched' ELSE 'matched' END AS part,
           line_part.tenant_id AS key, amount, line_id,
           CASE WHEN line_part.tenant_id IS NULL AND (
                   -- As inventory's IS_OURS: by what is so now, since no span keeps it.
                   resource.tenant_id IS NULL AND (resource.attributed_by <> '' OR project.name = %(operators_project)s::text)
               ) THEN 'ours' ELSE coalesce(line_part.tenant_id, '') END AS name
    FROM line_part
    LEFT JOIN cloud_resources AS resource ON resource.id = line_part.resource_id AND line_part.tenant_id IS NULL
    LEFT JOIN cloud_projects AS project ON project.id = resource.project_id
),
-- include: sum_costs.sql
