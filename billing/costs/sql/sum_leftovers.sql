-- Sum leftovers, each counted once whatever the number of its reasons.
--
-- parameters  at, off_before, operators_project, day: as in priced_leftovers.sql ·
--             reason text, kind text: of these alone, null for any
-- returns     count, monthly, unpriced: how many are in no sum   (one row)
-- locks       nothing
-- include: priced_leftovers.sql
SELECT count(*) AS count, coalesce(sum(monthly), 0) AS monthly, count(*) FILTER (WHERE monthly IS NULL) AS unpriced
FROM leftover
WHERE (%(reason)s::text IS NULL OR %(reason)s::text = ANY(reasons))
  AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
