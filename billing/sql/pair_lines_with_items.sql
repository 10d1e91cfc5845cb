-- Find each line's JSON item: the one that says the same. Where several lines are equal in all of it, any of the equal
-- items will do: they are told apart by nothing that is kept.
INSERT INTO paired (line_no, item_no)
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
