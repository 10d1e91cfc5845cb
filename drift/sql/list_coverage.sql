-- Count the live resources of each kind, and those of them that have a desired state.
-- parameters  none
-- returns     kind, live, covered
-- locks       nothing
SELECT resource.kind, count(*) AS live, count(provisioned.resource_id) AS covered
FROM cloud_resources AS resource
LEFT JOIN cloud_provisioned AS provisioned ON provisioned.resource_id = resource.id
WHERE resource.deleted_at IS NULL
GROUP BY resource.kind
ORDER BY resource.kind
