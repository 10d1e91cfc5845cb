-- What the lines and the items don't agree on: how many stand alone, and the first of each.
--
-- A line whose product no item has is none of them: a provider that leaves taxes out of its items contradicts nothing.
WITH line AS (
    SELECT line_no, product, description FROM paired JOIN staged_lines USING (line_no)
    WHERE item_no IS NULL AND product IN (SELECT product FROM staged_items)
),
item AS (
    SELECT item_no, product, description FROM paired JOIN staged_items USING (item_no) WHERE line_no IS NULL
)
SELECT
    (SELECT count(*) FROM line), (SELECT count(*) FROM item),
    (SELECT line_no FROM line ORDER BY line_no LIMIT 1),
    (SELECT concat_ws(' ', product, description) FROM item ORDER BY item_no LIMIT 1)
