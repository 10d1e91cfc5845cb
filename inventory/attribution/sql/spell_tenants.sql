-- Find the tenants that these names mean, where those are spelled with other capitals.
--
-- parameters  names text[]
-- returns     name, tenant_id: a row per name whose spelling differs
-- locks       nothing
SELECT wanted.name, known.tenant_id
FROM unnest(%(names)s::text[]) AS wanted(name)
CROSS JOIN LATERAL (
    SELECT tenant_id
    FROM (
        SELECT tenant_id FROM cloud_projects WHERE lower(tenant_id) = lower(wanted.name)
        UNION
        SELECT tenant_id FROM cloud_deployments WHERE lower(tenant_id) = lower(wanted.name)
    ) AS spelling
    ORDER BY tenant_id <> wanted.name, tenant_id  -- the same capitals first: two tenants may differ in theirs alone
    LIMIT 1
) AS known
WHERE known.tenant_id <> wanted.name
