-- List the open rows grouped by cause, the largest group first, of equally large ones the oldest.
-- parameters  most, skipped int
-- returns     cause, kind, field, expected, actual (JSON's text), count, oldest_at
-- locks       nothing
SELECT found.cause, example.kind, example.field, example.expected::text AS expected, example.actual::text AS actual,
       found.count, found.oldest_at
FROM (
    SELECT cause, count(*) AS count, min(detected_at) AS oldest_at
    FROM cloud_drift
    WHERE status = 'open'
    GROUP BY cause
    ORDER BY count(*) DESC, min(detected_at), cause
    LIMIT %(most)s::int OFFSET %(skipped)s::int
) AS found
CROSS JOIN LATERAL (
    SELECT kind, field, expected, actual
    FROM cloud_drift
    WHERE status = 'open' AND cause = found.cause
    LIMIT 1
) AS example
ORDER BY found.count DESC, found.oldest_at, found.cause
