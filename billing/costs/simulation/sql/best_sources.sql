-- List a month's days, each with the best source that has costs of it.
--
-- parameters  first date · end date: half-open · sources text[], the best first · computed text, the source that
--             every day is computed by
-- returns     a row a day, in order: day · source, null where none has any · is_computed
-- locks       nothing
SELECT
    day.day,
    (
        -- LIMIT, not EXISTS: that is planned as a join, which reads all of each day instead of probing its index.
        SELECT known.source
        FROM unnest(%(sources)s::text[]) WITH ORDINALITY AS known(source, rank)
        WHERE (
            SELECT true FROM daily_costs AS cost WHERE cost.day = day.day AND cost.source = known.source LIMIT 1
        )
        ORDER BY known.rank
        LIMIT 1
    ) AS source,
    EXISTS (
        SELECT FROM cost_days AS kept
        WHERE kept.day = day.day AND kept.source = %(computed)s::text AND kept.computed_at IS NOT NULL
    ) AS is_computed
FROM (
    SELECT ahead::date AS day
    FROM generate_series(%(first)s::date, %(end)s::date - 1, interval '1 day') AS ahead
) AS day
ORDER BY day.day
