-- Find each staged line's JSON item: the one that says the same. Where several lines are equal in all of it, any of the
-- equal items will do: nothing that is stored tells them apart.
-- parameters  none; reads staged_lines and staged_items
-- returns     nothing; fills line_items
-- locks       nothing
INSERT INTO line_items (line_no, item_no)
SELECT line_no, item_no
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY product, group_description, description, started_at, ended_at, amount ORDER BY line_no
    ) AS turn
    FROM staged_lines
) AS line
FULL JOIN (
    SELECT *, row_number() OVER (
        PARTITION BY product, group_description, description, started_at, ended_at, amount ORDER BY item_no
    ) AS turn
    FROM staged_items
) AS item USING (product, group_description, description, started_at, ended_at, amount, turn)
