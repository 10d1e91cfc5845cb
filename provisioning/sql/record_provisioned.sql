-- What a resource is to be like. A step that runs twice records once: the version counts changes.
INSERT INTO cloud_provisioned AS present (resource_id, spec, spec_version, saga_id, created_at, updated_at)
VALUES (%(resource_id)s::bigint, %(spec)s::jsonb, 1, %(saga_id)s::bigint, clock_timestamp(), clock_timestamp())
ON CONFLICT (resource_id) DO UPDATE
SET spec = excluded.spec, saga_id = excluded.saga_id, updated_at = excluded.updated_at,
    spec_version = present.spec_version + 1
WHERE (present.spec, present.saga_id) IS DISTINCT FROM (excluded.spec, excluded.saga_id)
RETURNING spec_version
