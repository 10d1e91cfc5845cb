-- Replace the open findings of one rule: new ones are opened, those seen again are kept, the rest are closed.
--
-- parameters  rule text · found jsonb [{subject, link, expected, actual}], each subject once · at timestamptz
-- returns     opened, seen, closed   (one row)
-- locks       the rule's open findings; whoever runs it holds the audit's lease
WITH found AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(found)s::jsonb) AS each(subject text, link text, expected text, actual text)
),
open AS MATERIALIZED (
    SELECT id, subject FROM audit_findings WHERE rule = %(rule)s::text AND closed_at IS NULL
),
seen AS (
    UPDATE audit_findings AS finding
    SET last_seen_at = greatest(%(at)s::timestamptz, last_seen_at), link = found.link, expected = found.expected, actual = found.actual
    FROM found JOIN open USING (subject)
    WHERE finding.id = open.id
    RETURNING finding.id
),
closed AS (
    UPDATE audit_findings AS finding SET closed_at = greatest(%(at)s::timestamptz, last_seen_at)
    FROM open LEFT JOIN found USING (subject)
    WHERE finding.id = open.id AND found.subject IS NULL
    RETURNING finding.id
),
opened AS (
    INSERT INTO audit_findings (rule, subject, link, expected, actual, first_seen_at, last_seen_at)
    SELECT %(rule)s::text, found.subject, found.link, found.expected, found.actual, %(at)s::timestamptz,
           %(at)s::timestamptz
    FROM found LEFT JOIN open USING (subject)
    WHERE open.id IS NULL
    ORDER BY found.subject
    RETURNING id
)
SELECT (SELECT count(*) FROM opened) AS opened, (SELECT count(*) FROM seen) AS seen,
       (SELECT count(*) FROM closed) AS closed
