-- Find out how far the next batch of desired states goes.
-- parameters  after bigint · size int
-- returns     checked, skipped (a live saga works on these), last: the last one's resource (one row; null: none is left)
-- locks       nothing
WITH batch AS MATERIALIZED (
    SELECT resource_id FROM cloud_provisioned
    WHERE resource_id > %(after)s::bigint
    ORDER BY resource_id
    LIMIT %(size)s::int
)
SELECT
    (SELECT count(*) FROM batch) AS checked,
    (
        SELECT count(*)
        FROM (
            -- include: worked_on.sql
        ) AS worked_on
        JOIN batch ON batch.resource_id = worked_on.id
    ) AS skipped,
    (SELECT max(resource_id) FROM batch) AS last
