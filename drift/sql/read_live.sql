-- Read a field of a resource as it is now.
-- parameters  resource_id bigint · field text
-- returns     value: JSON's text, null where the row doesn't have it; saga_id: a live saga that works on the resource
-- locks       nothing
SELECT live.value::text AS value, live.saga_id
FROM (
    SELECT
        -- include: live_value.sql
        AS value,
        (
            SELECT max(subject.saga_id)
            FROM saga_subjects AS subject
            JOIN saga_runs AS saga ON saga.id = subject.saga_id
            WHERE subject.subject = resource.kind || ':' || resource.provider_id
                AND saga.status IN ('pending', 'running', 'waiting', 'compensating')
        ) AS saga_id
    FROM (SELECT *, %(field)s::text AS field FROM cloud_resources WHERE id = %(resource_id)s::bigint) AS resource
) AS live
