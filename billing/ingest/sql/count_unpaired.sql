-- Count the lines and the items that have no counterpart, and find the first of each.
-- A line whose product no item has isn't counted: a provider that leaves taxes out of its items contradicts nothing.
-- parameters  none; reads staged_lines, staged_items and line_items
-- returns     lines, items, first_line_no, first_item   (one row; the last two null where there is none)
-- locks       nothing
WITH line AS (
    SELECT line_no, product, description FROM line_items JOIN staged_lines USING (line_no)
    WHERE item_no IS NULL AND product IN (SELECT product FROM staged_items)
),
item AS (
    SELECT item_no, product, description FROM line_items JOIN staged_items USING (item_no) WHERE line_no IS NULL
)
SELECT
    (SELECT count(*) FROM line) AS lines,
    (SELECT count(*) FROM item) AS items,
    (SELECT line_no FROM line ORDER BY line_no LIMIT 1) AS first_line_no,
    (SELECT concat_ws(' ', product, description) FROM item ORDER BY item_no LIMIT 1) AS first_item
