-- Keep an invoice's staged lines, each matched to its resource.
WITH line AS NOT MATERIALIZED (
    SELECT staged_lines.*, coalesce(item.resource_id, '') AS item_resource_id,
           coalesce(item.resource_uuid, '') AS item_resource_uuid
    FROM staged_lines
    LEFT JOIN paired USING (line_no)
    LEFT JOIN staged_items AS item USING (item_no)
),
-- match_lines.sql
INSERT INTO cloud_cost_lines (
    invoice_id, line_no, product, group_description, description, hours, started_at, ended_at, amount, project_name,
    category, item_resource_id, item_resource_uuid, kind, name, is_tax, match, resource_id
)
SELECT %(invoice)s::bigint, line_no, product, group_description, description, hours, started_at, ended_at, amount,
       project_name, category, item_resource_id, item_resource_uuid, kind, name, is_tax, match,
       CASE match WHEN 'id' THEN identified_id WHEN 'unique' THEN named_id WHEN 'lifetime' THEN lived_id END
FROM decided
ORDER BY line_no
