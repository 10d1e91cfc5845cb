-- Find tenants by a part of their ids, each once.
--
-- parameters  text text: as it was typed · part text: the pattern for LIKE, of capitals · most integer
-- returns     tenant_id, in order
-- locks       nothing
WITH RECURSIVE of_resources AS (
    -- From each tenant to the next by the index, a lookup for each tenant: DISTINCT would read every resource.
    (
        SELECT tenant_id
        FROM cloud_resources
        WHERE deleted_at IS NULL AND tenant_id >= %(text)s::text
        ORDER BY tenant_id
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT tenant_id
        FROM cloud_resources
        WHERE deleted_at IS NULL AND tenant_id > of_resources.tenant_id
        ORDER BY tenant_id
        LIMIT 1
    )
    FROM of_resources
    WHERE starts_with(of_resources.tenant_id, %(text)s::text)
)
SELECT tenant_id
FROM (
    (SELECT DISTINCT tenant_id FROM cloud_deployments WHERE upper(tenant_id) LIKE %(part)s::text)
    UNION
    (SELECT tenant_id FROM cloud_projects WHERE upper(tenant_id) LIKE %(part)s::text)
    UNION
    -- The limit ends the recursion, too: its rows are made as they are asked for.
    (SELECT tenant_id FROM of_resources WHERE starts_with(tenant_id, %(text)s::text) LIMIT %(most)s::integer)
) AS found
ORDER BY upper(tenant_id) <> upper(%(text)s::text), tenant_id
LIMIT %(most)s::integer
