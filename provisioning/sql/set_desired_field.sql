-- Make a value the desired one of a resource's field; the others stay as they are.
-- parameters  resource_id bigint · field text · value jsonb
-- returns     spec_version; no row: nothing is desired of the resource
-- locks       the resource's row of cloud_provisioned
UPDATE cloud_provisioned
SET spec = spec || jsonb_build_object(%(field)s::text, %(value)s::jsonb),
    spec_version = spec_version + 1,
    updated_at = clock_timestamp()
WHERE resource_id = %(resource_id)s::bigint
RETURNING spec_version
