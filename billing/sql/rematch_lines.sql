-- Match again the lines of some kinds that matched nothing: inventory has learnt of resources.
-- parameters  kinds text[] · provider text
-- returns     changed: how many lines · invoices: theirs   (one row)
-- locks       the lines that change; a line that another run has matched meanwhile is left alone
WITH line AS (
    SELECT id AS line_no, kind, name, started_at, ended_at, is_tax, item_resource_id, item_resource_uuid,
           match AS previous_match,
           CASE kind WHEN 'droplet_backup' THEN 'droplet' ELSE kind END AS resource_kind
    FROM cloud_cost_lines
    WHERE resource_id IS NULL AND NOT is_tax AND kind = ANY(%(kinds)s::text[])
),
-- include: match_lines.sql
, changed_line AS (
    UPDATE cloud_cost_lines AS stored
    SET match = match_result.match, resource_id = matched_id
    FROM match_result
    WHERE stored.id = match_result.line_no AND match_result.match <> previous_match AND stored.resource_id IS NULL
    RETURNING stored.invoice_id
)
SELECT count(*) AS changed, coalesce(array_agg(DISTINCT invoice_id), '{}') AS invoices FROM changed_line
