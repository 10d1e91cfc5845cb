-- Record in the history of resources that fields of theirs aren't as desired.
-- parameters  differences jsonb: [{resource_id, field, expected, actual, source}] · at timestamptz · actor text
-- returns     nothing
-- locks       nothing
--
-- A long list stands there by its length: the row of the difference has it whole while it is open.
INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
SELECT resource_id, 'drift_detected',
       jsonb_build_object(field, jsonb_build_array(shorten.expected, shorten.actual)),
       %(at)s::timestamptz, %(actor)s::text, source
FROM jsonb_to_recordset(%(differences)s::jsonb)
    AS difference(resource_id bigint, field text, expected jsonb, actual jsonb, source text)
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN jsonb_typeof(expected) = 'array' AND jsonb_array_length(expected) > 50
             THEN jsonb_build_object('count', jsonb_array_length(expected)) ELSE expected END AS expected,
        CASE WHEN jsonb_typeof(actual) = 'array' AND jsonb_array_length(actual) > 50
             THEN jsonb_build_object('count', jsonb_array_length(actual)) ELSE actual END AS actual
) AS shorten
ORDER BY resource_id, field
