-- Give each live resource of a kind that was not seen since the reading began its strike.
--
-- parameters  provider text · kind text · began_at timestamptz · most integer, where counting ends
-- returns     nothing; the number of rows is that of the strikes
-- locks       the struck resources, in the order of a batch of observations
UPDATE cloud_resources
SET stale_strike_count = least(stale_strike_count + 1, %(most)s::integer)
-- By keys, one by one: joined, the planner's old statistics would choose how they are looked for.
WHERE id = ANY(ARRAY(
    SELECT id
    FROM cloud_resources
    WHERE provider = %(provider)s::text AND kind = %(kind)s::text AND deleted_at IS NULL
      AND last_seen_at < %(began_at)s::timestamptz
    ORDER BY provider_id
    FOR UPDATE
))
