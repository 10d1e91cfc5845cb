-- Try again the lines that matched nothing, of these kinds: inventory has learnt of resources.
WITH line AS (
    SELECT id AS line_no, kind, name, started_at, ended_at, is_tax, item_resource_id, item_resource_uuid, match AS was
    FROM cloud_cost_lines
    WHERE resource_id IS NULL AND NOT is_tax AND kind = ANY(%(kinds)s::text[])
),
-- match_lines.sql
UPDATE cloud_cost_lines AS kept
SET match = decided.match,
    resource_id = CASE decided.match WHEN 'id' THEN identified_id WHEN 'unique' THEN named_id WHEN 'lifetime' THEN lived_id END
FROM decided
WHERE kept.id = decided.line_no AND decided.match <> decided.was AND kept.resource_id IS NULL
