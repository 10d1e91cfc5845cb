-- List leftovers, the dearest first and those without a price last, a page at a time.
--
-- parameters  at, off_before, operators_project, day: as in priced_leftovers.sql ·
--             reason text, kind text: of these alone, null for any ·
--             resources bigint[]: of these alone, null for any · direction: 1 for the rows after a place, -1 for those
--             before it, the nearest first · place_monthly numeric, place_resource bigint: a row's, -1 where it has no
--             price; null for the list's beginning · limit, skip integer
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
      %(place_resource)s::bigint IS NULL
      OR (%(direction)s::integer * coalesce(monthly, -1), -%(direction)s::integer * resource_id)
          < (%(direction)s::integer * %(place_monthly)s::numeric, -%(direction)s::integer * %(place_resource)s::bigint)
  )
ORDER BY %(direction)s::integer * coalesce(monthly, -1) DESC, %(direction)s::integer * resource_id
LIMIT %(limit)s::integer OFFSET %(skip)s::integer
