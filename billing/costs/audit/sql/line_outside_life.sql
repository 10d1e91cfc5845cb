-- Find lines matched to a resource that was made after their hours, or gone before them: a namesake's cost, most likely.
-- An hour is allowed for, since hours are billed whole. That we saw a resource late proves nothing, so its creation at the
-- provider and its tombstone decide.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a resource and invoice)
-- locks       nothing
SELECT 'line' AS subject_kind, line.invoice_id || '/' || line.resource_id AS subject_key,
       'resource:' || line.resource_id AS link,
       'lines of hours in which ' || resource.kind || ' ' || resource.name || ' lived' AS expected,
       count(*) || ' lines, ' || trim_scale(sum(line.amount))::text || ' USD, from '
           || to_char(min(line.started_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' to '
           || to_char(max(line.ended_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' in invoice ' || line.invoice_id
           AS actual
FROM cloud_cost_lines AS line
JOIN cloud_resources AS resource ON resource.id = line.resource_id
WHERE line.ended_at + interval '1 hour' < resource.provider_created_at
   OR line.started_at - interval '1 hour' > resource.deleted_at
GROUP BY line.invoice_id, line.resource_id, resource.kind, resource.name
