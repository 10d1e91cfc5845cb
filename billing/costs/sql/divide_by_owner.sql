-- Divide each row of `line` among the owners that its resource had in the line's hours.
--
-- A part of other statements, which define `line` before it: id, resource_id, kind, is_tax, amount, started_at, ended_at.
-- At any instant a resource belongs to the owner of the span that began last before it: a gap between spans is the former
-- owner's, and what was before the first span is the first owner's. A resource without any span belongs to its present
-- owner. So an hour's owner depends on the hour alone, and never on how a line's hours are cut.
--
-- An owner's part follows from all hours of the line that were its own, however many spans they are. It is a multiple of
-- the last digit that was billed, a cent at least; what is left over goes to the largest remainders, then to who had the
-- resource first. So the parts sum to the line exactly.
--
-- parameters  none
-- returns     line_part: line_id, resource_id, kind, is_tax, started_at, ended_at, tenant_id, deployment_id, amount
--             tenure: resource_id, tenant_id, deployment_id, since, until
-- locks       nothing
tenure AS MATERIALIZED (
    SELECT resource_id, tenant_id, deployment_id,
           CASE WHEN lag(id) OVER life IS NULL THEN '-infinity' ELSE lower(during) END AS since,
           coalesce(lead(lower(during)) OVER life, 'infinity') AS until
    FROM resource_spans
    WHERE resource_id IN (SELECT resource_id FROM line)  -- hashed: an array of as many would be searched through
    WINDOW life AS (PARTITION BY resource_id ORDER BY lower(during))
),
owned AS (
    SELECT line.id AS line_id, tenure.tenant_id, tenure.deployment_id, min(tenure.since) AS since,
           sum(extract(epoch FROM
               least(line.ended_at, tenure.until) - greatest(line.started_at, tenure.since))) * 1000000 AS microseconds
    FROM line
    JOIN tenure ON tenure.resource_id = line.resource_id
        AND tenure.since < line.ended_at AND tenure.until > line.started_at
    GROUP BY line.id, tenure.tenant_id, tenure.deployment_id
),
divided AS (
    SELECT owned.*, amount, count(*) OVER of_line AS owners, sum(microseconds) OVER of_line AS whole,
           power(10::numeric, -greatest(min_scale(amount), 2)) AS unit
    FROM owned
    JOIN line ON line.id = owned.line_id
    WINDOW of_line AS (PARTITION BY line_id)
),
share AS (
    SELECT *, div(units * microseconds, whole) AS full_units,
           row_number() OVER by_remainder AS place,
           units - sum(div(units * microseconds, whole)) OVER (PARTITION BY line_id) AS units_left
    FROM divided
    CROSS JOIN LATERAL (SELECT abs(amount) / unit AS units) AS counted
    WHERE owners > 1
    WINDOW by_remainder AS (PARTITION BY line_id ORDER BY mod(units * microseconds, whole) DESC, since, deployment_id)
),
part AS (
    SELECT line_id, tenant_id, deployment_id, amount FROM divided WHERE owners = 1
    UNION ALL
    SELECT line_id, tenant_id, deployment_id,
           round(sign(amount) * unit * (full_units + CASE WHEN place <= units_left THEN 1 ELSE 0 END), 10)
    FROM share
),
line_part AS (
    SELECT line.id AS line_id, line.resource_id, line.kind, line.is_tax, line.started_at, line.ended_at,
           coalesce(part.tenant_id, resource.tenant_id) AS tenant_id,
           coalesce(part.deployment_id, resource.deployment_id) AS deployment_id,
           coalesce(part.amount, line.amount) AS amount
    FROM line
    LEFT JOIN part ON part.line_id = line.id
    -- Of those alone that have no span: an unattributed part has nulls of its own.
    LEFT JOIN cloud_resources AS resource ON part.line_id IS NULL AND resource.id = line.resource_id
),
