-- Record that these days and hours are metered, and hold them until the end of the transaction: of two who meter the
-- same, the second waits, and then finds what the first has written.
--
-- parameters  granularities text[] · starts timestamptz[]: one of each for every period, in order of time
--             at timestamptz
-- returns     nothing
-- locks       the rows of metered_periods, in the order given, so that two never wait for each other in a ring
INSERT INTO metered_periods (granularity, period_start, metered_at)
SELECT granularity, period_start, %(at)s::timestamptz
FROM unnest(%(granularities)s::text[], %(starts)s::timestamptz[]) WITH ORDINALITY AS claimed(granularity, period_start, place)
ORDER BY place
ON CONFLICT (granularity, period_start) DO UPDATE SET metered_at = excluded.metered_at
