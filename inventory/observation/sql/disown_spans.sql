-- Take every span of a resource from its owner: its life was the operator's own.
--
-- parameters  provider text · kind text · provider_id text
-- returns     nothing
-- locks       the resource; its spans
WITH resource AS MATERIALIZED (
    SELECT id FROM cloud_resources
    WHERE provider = %(provider)s::text AND kind = %(kind)s::text AND provider_id = %(provider_id)s::text
    FOR UPDATE
)
UPDATE resource_spans
SET tenant_id = NULL, deployment_id = NULL
WHERE resource_id = (SELECT id FROM resource) AND (tenant_id IS NOT NULL OR deployment_id IS NOT NULL)
