-- Find usage of resources in periods in which they were not the deployment's, or didn't live: it is charged for nothing.
-- Resources whose past has changed since are left out: the next metering run corrects them.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource)
-- locks       nothing
SELECT 'resource' AS subject_kind, resource_id::text AS subject_key, 'resource:' || resource_id AS link,
       'usage while it lives, of the deployment that has it' AS expected,
       count(*) || ' records of ' || string_agg(DISTINCT resource_kind, ', ' ORDER BY resource_kind) || ' from '
           || to_char(min(period_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' to '
           || to_char(max(period_end) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS actual
FROM usage_records AS record
WHERE resource_id IS NOT NULL AND qty > 0
  AND NOT EXISTS (
      SELECT FROM resource_spans AS span
      WHERE span.resource_id = record.resource_id AND span.deployment_id = record.deployment_id
        AND span.during && tstzrange(record.period_start, record.period_end)
  )
  AND NOT EXISTS (SELECT FROM span_changes WHERE span_changes.resource_id = record.resource_id)
GROUP BY resource_id
