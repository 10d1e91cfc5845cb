"""What Django's models can't say: history that can't be rewritten, room for heap-only updates."""

from django.db import migrations

# A shell is refused too. The tests' databases set arcadia.rewrite_history, to be emptied between tests.
REFUSE_REWRITING = """
CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('arcadia.rewrite_history', true) = 'allowed in tests' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON cloud_resource_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
CREATE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON cloud_resource_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting_history();
"""
ALLOW_REWRITING = """
DROP TRIGGER history_is_append_only ON cloud_resource_events;
DROP TRIGGER history_is_not_truncated ON cloud_resource_events;
DROP FUNCTION refuse_rewriting_history();
"""

# Every run bumps last_seen_at of every row. Half-empty pages keep nearly all bumps heap-only
# (docs/performance.md has the figures); vacuum comes early, so that the room is free again.
ROOM_FOR_BUMPS = """
ALTER TABLE cloud_resources SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
"""
NO_ROOM = """
ALTER TABLE cloud_resources RESET (fillfactor, autovacuum_vacuum_scale_factor);
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_REWRITING, ALLOW_REWRITING),
        migrations.RunSQL(ROOM_FOR_BUMPS, NO_ROOM),
    ]
