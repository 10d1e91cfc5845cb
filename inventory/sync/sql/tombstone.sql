-- Tombstone those of these resources that live and still have so many strikes, record it, and end their spans where
-- they were last seen.
--
-- parameters  pks bigint[] · strikes integer · at timestamptz · actor text · source text
-- returns     tombstoned: how many
-- locks       the resources, which the caller has locked in the order of a batch; their spans
WITH tombstoned AS (
    UPDATE cloud_resources
    SET deleted_at = %(at)s::timestamptz
    WHERE id = ANY(%(pks)s::bigint[]) AND deleted_at IS NULL AND stale_strike_count >= %(strikes)s::integer
    RETURNING id, last_seen_at
),
recorded AS (
    INSERT INTO cloud_resource_events (resource_id, event_type, changes, at, actor, source)
    SELECT id, 'deleted', '{}', %(at)s::timestamptz, %(actor)s::text, %(source)s::text FROM tombstoned
),
ended AS (
    -- Not the open one alone: an assignment may have split what came after the last sight.
    UPDATE resource_spans AS span
    SET during = tstzrange(lower(span.during), tombstoned.last_seen_at)
    FROM tombstoned
    WHERE span.resource_id = tombstoned.id
      AND (upper_inf(span.during) OR upper(span.during) > tombstoned.last_seen_at)
      AND lower(span.during) < tombstoned.last_seen_at
),
never_lasted AS (
    -- Begun when it was last seen or later: a stretch of life in which it was never seen.
    DELETE FROM resource_spans AS span
    USING tombstoned
    WHERE span.resource_id = tombstoned.id AND lower(span.during) >= tombstoned.last_seen_at
)
SELECT count(*) AS tombstoned FROM tombstoned
