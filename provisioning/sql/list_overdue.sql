-- List live sagas that are older than their workflow's deadline and have no open alert yet.
-- parameters  kinds text[] · deadlines float8[] (seconds, one for each kind) · code text · most int
-- returns     saga_id, kind, status, wait_reason
-- locks       nothing
SELECT saga.id AS saga_id, saga.kind, saga.status, saga.wait_reason
FROM saga_runs AS saga
JOIN unnest(%(kinds)s::text[], %(deadlines)s::float8[]) AS workflow (kind, seconds) ON workflow.kind = saga.kind
WHERE saga.status IN ('pending', 'running', 'waiting', 'compensating')
    AND saga.created_at <= statement_timestamp() - make_interval(secs => workflow.seconds)
    -- One that was scheduled counts from its beginning, or from when it should have begun.
    AND CASE WHEN saga.start_at IS NULL THEN saga.created_at ELSE coalesce(saga.begun_at, saga.start_at) END
        <= statement_timestamp() - make_interval(secs => workflow.seconds)
    AND NOT EXISTS (
        SELECT FROM alerts
        WHERE alerts.code = %(code)s::text AND alerts.subject = 'saga:' || saga.id AND alerts.resolved_at IS NULL
    )
ORDER BY saga.created_at
LIMIT %(most)s::int
