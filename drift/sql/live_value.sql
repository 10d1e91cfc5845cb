-- Read a field of a resource: a column first, then `attrs`. A part of other statements, which have `resource` and
-- `field`; SQL null is "not known", JSON's null a value.
CASE field
    WHEN 'exists' THEN to_jsonb(resource.deleted_at IS NULL)
    WHEN 'name' THEN to_jsonb(resource.name)
    WHEN 'region' THEN to_jsonb(resource.region)
    WHEN 'status' THEN to_jsonb(resource.status)
    WHEN 'tags' THEN to_jsonb(resource.tags)
    -- By name, as it is ordered. Without one, it was not read: whatever can be in a project is always in one.
    WHEN 'project' THEN (
        SELECT to_jsonb(project.name) FROM cloud_projects AS project WHERE project.id = resource.project_id
    )
    WHEN 'urn' THEN to_jsonb(resource.urn)
    WHEN 'provider_id' THEN to_jsonb(resource.provider_id)
    WHEN 'monthly_price_cents' THEN to_jsonb(resource.monthly_price_cents)
    WHEN 'parent_kind' THEN to_jsonb(resource.parent_kind)
    WHEN 'parent_id' THEN to_jsonb(resource.parent_id)
    ELSE resource.attrs -> field
END
