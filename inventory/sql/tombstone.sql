-- Tombstone resources that have their strikes still, tell it, and end their spans where they were last seen.
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
    -- Not the open one alone: an assignment may have split what came after the last sight.
    UPDATE resource_spans AS span
    SET during = tstzrange(lower(span.during), buried.last_seen_at)
    FROM buried
    WHERE span.resource_id = buried.id
      AND (upper_inf(span.during) OR upper(span.during) > buried.last_seen_at)
      AND lower(span.during) < buried.last_seen_at
),
never_lasted AS (
    -- Begun when it was last seen or later: a stretch of life that nobody saw.
    DELETE FROM resource_spans AS span
    USING buried
    WHERE span.resource_id = buried.id AND lower(span.during) >= buried.last_seen_at
)
SELECT count(*) FROM buried
