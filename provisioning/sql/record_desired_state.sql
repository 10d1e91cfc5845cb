-- Record a resource's desired state. A step that runs twice records once: the version counts changes.
-- parameters  resource_id, saga_id bigint · spec jsonb
-- returns     spec_version; no row: it is recorded already
-- locks       the resource's row of cloud_provisioned
INSERT INTO cloud_provisioned AS present (resource_id, spec, spec_version, saga_id, created_at, updated_at)
VALUES (%(resource_id)s::bigint, %(spec)s::jsonb, 1, %(saga_id)s::bigint, clock_timestamp(), clock_timestamp())
ON CONFLICT (resource_id) DO UPDATE
SET spec = excluded.spec, saga_id = excluded.saga_id, updated_at = excluded.updated_at,
    spec_version = present.spec_version + 1
WHERE (present.spec, present.saga_id) IS DISTINCT FROM (excluded.spec, excluded.saga_id)
RETURNING spec_version
