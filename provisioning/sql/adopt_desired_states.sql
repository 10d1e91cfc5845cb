-- Record desired states of resources that have none.
-- parameters  desired jsonb: [{resource_id, spec}], sorted by resource
-- returns     resource_id of those that had none
-- locks       the rows that it inserts, by resource
INSERT INTO cloud_provisioned (resource_id, spec, spec_version, saga_id, created_at, updated_at)
SELECT resource_id, spec, 1, NULL, clock_timestamp(), clock_timestamp()
FROM jsonb_to_recordset(%(desired)s::jsonb) AS desired(resource_id bigint, spec jsonb)
ORDER BY resource_id
ON CONFLICT (resource_id) DO NOTHING
RETURNING resource_id
