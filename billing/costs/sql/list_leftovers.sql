-- List leftovers, the dearest first and those without a price last, a page at a time.
--
-- parameters  at, off_before, operators_project, day: as in priced_leftovers.sql ·
--             reason text, kind text: of these alone, null for any ·
--             resources bigint[]: of these alone, null for any · after_monthly numeric, after_resource bigint: those of
--             the last row of the page before, -1 where that had no price; null on the first page · limit, skip integer
-- returns     resource_id, kind, name, provider_id, region, sku, tenant_id, deployment_id, reasons, off_since, size_gb,
--             monthly
-- locks       nothing
-- include: priced_leftovers.sql
SELECT *
FROM leftover
WHERE (%(reason)s::text IS NULL OR %(reason)s::text = ANY(reasons))
  AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
  AND (%(resources)s::bigint[] IS NULL OR resource_id = ANY(%(resources)s::bigint[]))
  AND (
      %(after_resource)s::bigint IS NULL
      OR (coalesce(monthly, -1), -resource_id) < (%(after_monthly)s::numeric, -%(after_resource)s::bigint)
  )
ORDER BY coalesce(monthly, -1) DESC, resource_id
LIMIT %(limit)s::integer OFFSET %(skip)s::integer
