-- Open the new owner's spans where the old owner's have just ended, with what metering counted before. One that is
-- open still began at this very instant, and was corrected in place: its owner changed twice at once.
--
-- parameters  pks bigint[] · at timestamptz
-- returns     nothing
-- locks       nothing more; the resources are locked by the caller
INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb, sku)
SELECT resource.id, tstzrange(%(at)s::timestamptz, NULL), resource.deployment_id, resource.tenant_id,
       latest.active, latest.size_gb, latest.sku
FROM unnest(%(pks)s::bigint[]) AS pk
CROSS JOIN LATERAL (
    SELECT id, deployment_id, tenant_id, deleted_at FROM cloud_resources WHERE id = pk LIMIT 1
) AS resource
CROSS JOIN LATERAL (
    SELECT * FROM resource_spans
    WHERE resource_id = pk
    ORDER BY upper(during) DESC NULLS FIRST  -- the open one, where there is one
    LIMIT 1
) AS latest
WHERE resource.deleted_at IS NULL AND upper(latest.during) = %(at)s::timestamptz
