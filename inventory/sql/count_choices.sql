-- Count the live resources of each kind, region and status, none further than `most`.
--
-- parameters  most integer
-- returns     dimension, value, number: `most` + 1 where there are more
-- locks       nothing
--
-- From each value to the next by the index, and then along it: to group the whole table would read every row. A range and
-- not `=`: the planner takes an unknown value for an average one, and would look for a rare one among all live rows.
WITH RECURSIVE kinds AS (
    (SELECT kind AS value FROM cloud_resources WHERE deleted_at IS NULL ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (
        SELECT kind FROM cloud_resources WHERE deleted_at IS NULL AND kind > kinds.value ORDER BY kind LIMIT 1
    )
    FROM kinds
    WHERE kinds.value IS NOT NULL
),
regions AS (
    (SELECT region AS value FROM cloud_resources WHERE deleted_at IS NULL ORDER BY region LIMIT 1)
    UNION ALL
    SELECT (
        SELECT region FROM cloud_resources WHERE deleted_at IS NULL AND region > regions.value ORDER BY region LIMIT 1
    )
    FROM regions
    WHERE regions.value IS NOT NULL
),
statuses AS (
    (SELECT status AS value FROM cloud_resources WHERE deleted_at IS NULL ORDER BY status LIMIT 1)
    UNION ALL
    SELECT (
        SELECT status FROM cloud_resources WHERE deleted_at IS NULL AND status > statuses.value ORDER BY status LIMIT 1
    )
    FROM statuses
    WHERE statuses.value IS NOT NULL
)
SELECT 'kind' AS dimension, value, (
    SELECT count(*)
    FROM (
        SELECT FROM cloud_resources WHERE deleted_at IS NULL AND kind BETWEEN value AND value ORDER BY kind
        LIMIT %(most)s::integer + 1
    ) AS few
) AS number
FROM kinds
WHERE value IS NOT NULL
UNION ALL
SELECT 'region', value, (
    SELECT count(*)
    FROM (
        SELECT FROM cloud_resources WHERE deleted_at IS NULL AND region BETWEEN value AND value ORDER BY region
        LIMIT %(most)s::integer + 1
    ) AS few
)
FROM regions
WHERE value IS NOT NULL
UNION ALL
SELECT 'status', value, (
    SELECT count(*)
    FROM (
        SELECT FROM cloud_resources WHERE deleted_at IS NULL AND status BETWEEN value AND value ORDER BY status
        LIMIT %(most)s::integer + 1
    ) AS few
)
FROM statuses
WHERE value IS NOT NULL
