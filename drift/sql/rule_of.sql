-- Find the ignore rule in force that covers `field` of `resource`, the oldest of several. A part of other statements.
SELECT rule.id, rule.created_by
FROM drift_ignore_rules AS rule
WHERE rule.kind = resource.kind
    AND rule.field IN ('', difference.field)
    AND (rule.resource_id IS NULL OR rule.resource_id = resource.id)
    AND (rule.tag = '' OR lower(rule.tag) = ANY (lower_all(resource.tags)))
    AND (rule.expires_at IS NULL OR rule.expires_at > %(at)s::timestamptz)
ORDER BY rule.id
LIMIT 1
