-- Find the resource of each reported item of a day, by kind and name, as an invoice's line without an id has it.
-- parameters  day date · day_start, day_end timestamptz: its bounds · provider text
-- returns     nothing; the row count says how many items changed
-- locks       the items that change; the caller holds the day's row of cost_days
WITH line AS (
    SELECT id AS line_no, kind, name, %(day_start)s::timestamptz AS started_at, %(day_end)s::timestamptz AS ended_at,
           false AS is_tax, '' AS item_resource_id, '' AS item_resource_uuid, resource_id AS previous_id,
           CASE kind WHEN 'droplet_backup' THEN 'droplet' ELSE kind END AS resource_kind
    FROM reported_cost_items
    WHERE day = %(day)s::date
),
-- include: ../../sql/match_lines.sql
UPDATE reported_cost_items AS item
SET resource_id = matched_id
FROM match_result
WHERE item.id = match_result.line_no AND matched_id IS DISTINCT FROM previous_id
