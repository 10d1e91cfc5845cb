-- Live sagas that are older than their workflow's deadline, and of which no open alert tells yet.
SELECT saga.id, saga.kind, saga.status, saga.wait_reason
FROM saga_runs AS saga
JOIN unnest(%(kinds)s::text[], %(deadlines)s::float8[]) AS workflow (kind, seconds) ON workflow.kind = saga.kind
WHERE saga.status IN ('pending', 'running', 'waiting', 'compensating')
    AND saga.created_at <= statement_timestamp() - make_interval(secs => workflow.seconds)
    AND NOT EXISTS (
        SELECT FROM alerts
        WHERE alerts.code = %(code)s::text AND alerts.subject = 'saga:' || saga.id AND alerts.resolved_at IS NULL
    )
ORDER BY saga.created_at
LIMIT %(most)s::int
