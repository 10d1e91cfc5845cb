-- Read the events of the feed that come after a position, and that no open transaction can come before.
--
-- parameters  tenant_id text (null: every tenant's) · transaction_id, id bigint: the position, 0 0 for the beginning
--             most int
-- returns     the rows of event_feed, in the order of the feed
-- locks       nothing
--
-- A transaction's number is given out at its first write, an event's at its insertion, and neither in the order of
-- the commits. So rows of a transaction are shown once every transaction with a lower number has ended: nothing can
-- then come in before them. A transaction's own rows are shown to itself at once.
SELECT feed.id, feed.transaction_id, feed.tenant_id, feed.subject, feed.subject_id, feed.event_type, feed.source_id,
    feed.at
FROM event_feed AS feed
WHERE (feed.transaction_id, feed.id) > (%(transaction_id)s::bigint, %(id)s::bigint)
    AND (
        feed.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        OR feed.transaction_id = pg_current_xact_id_if_assigned()::text::bigint
    )
    AND (%(tenant_id)s::text IS NULL OR feed.tenant_id = %(tenant_id)s::text)
ORDER BY feed.transaction_id, feed.id
LIMIT %(most)s::int
