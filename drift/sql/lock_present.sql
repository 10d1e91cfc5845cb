-- Lock the open and ignored rows of a batch.
-- parameters  after, until bigint
-- returns     id
-- locks       rows of cloud_drift, by resource and field, as everybody does who locks several
SELECT id FROM cloud_drift
WHERE status IN ('open', 'ignored') AND resource_id > %(after)s::bigint AND resource_id <= %(until)s::bigint
ORDER BY resource_id, field
FOR NO KEY UPDATE
