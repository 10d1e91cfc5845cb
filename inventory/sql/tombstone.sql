-- Tombstone resources that have their strikes still, tell it, and end their open spans where they were last seen.
WITH buried AS (
    UPDATE cloud_resources
    SET deleted_at = %(at)s::timestamptz
    WHERE id = ANY(%(pks)s::bigint[]) AND deleted_at IS NULL AND stale_strike_count >= %(strikes)s::integer
    RETURNING id, last_seen_at
),
told AS (
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT id, 'deleted', '{}', %(at)s::timestamptz, %(actor)s::text, %(source)s::text FROM buried
),
ended AS (
    UPDATE resource_spans AS span
    SET during = tstzrange(lower(span.during), buried.last_seen_at)
    FROM buried
    WHERE span.resource_id = buried.id AND upper_inf(span.during) AND lower(span.during) < buried.last_seen_at
),
never_lasted AS (
    -- Seen once and never again: a life without length.
    DELETE FROM resource_spans AS span
    USING buried
    WHERE span.resource_id = buried.id AND upper_inf(span.during) AND lower(span.during) >= buried.last_seen_at
)
SELECT count(*) FROM buried
