-- Give each live resource of a kind that nobody has seen since the run began its strike. Rows are locked in the order
-- of a batch of observations, and struck by their keys: joined, they would be looked for as the planner was told.
UPDATE cloud_resources
SET stale_strike_count = least(stale_strike_count + 1, %(most)s)
WHERE id = ANY(ARRAY(
    SELECT id
    FROM cloud_resources
    WHERE provider = %(provider)s AND kind = %(kind)s AND deleted_at IS NULL AND last_seen_at < %(began_at)s
    ORDER BY provider_id
    FOR UPDATE
))
