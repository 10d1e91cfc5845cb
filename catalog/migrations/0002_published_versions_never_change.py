"""A published version and its items never change: refused by triggers, for a shell too."""

from django.db import migrations

# Drafts change as they like. What was published only retires, and isn't deleted.
REFUSE_CHANGES_OF_VERSIONS = """
CREATE FUNCTION refuse_change_of_published_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'draft' THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF NEW.status IN ('draft', 'active') THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF (NEW.status = OLD.status OR (OLD.status = 'active' AND NEW.status = 'retired'))
            AND to_jsonb(NEW) - 'status' = to_jsonb(OLD) - 'status' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'plan version % was published and never changes: % is refused', OLD.id, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER published_version_never_changes BEFORE UPDATE OR DELETE ON plan_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_published_version();
"""
ALLOW_CHANGES_OF_VERSIONS = """
DROP TRIGGER published_version_never_changes ON plan_versions;
DROP FUNCTION refuse_change_of_published_version();
"""

# The version is locked first: an item that is written while its version is being published waits for the
# outcome, and is refused by it. The status is read by a statement of its own: within one, the planner may filter
# before it locks, and then locks nothing. A draft that is deleted takes its items along: then no row is found.
REFUSE_CHANGES_OF_ITEMS = """
CREATE FUNCTION refuse_change_of_published_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    versions bigint[] := ARRAY[]::bigint[];
    published bigint;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        versions := versions || OLD.version_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        versions := versions || NEW.version_id;
    END IF;
    PERFORM FROM plan_versions WHERE id = ANY (versions) ORDER BY id FOR SHARE;
    SELECT min(id) INTO published FROM plan_versions WHERE id = ANY (versions) AND status <> 'draft';
    IF published IS NOT NULL THEN
        RAISE EXCEPTION 'plan version % was published and its items never change: % is refused', published, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER published_items_never_change BEFORE INSERT OR UPDATE OR DELETE ON plan_items
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_published_items();
"""
ALLOW_CHANGES_OF_ITEMS = """
DROP TRIGGER published_items_never_change ON plan_items;
DROP FUNCTION refuse_change_of_published_items();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_CHANGES_OF_VERSIONS, ALLOW_CHANGES_OF_VERSIONS),
        migrations.RunSQL(REFUSE_CHANGES_OF_ITEMS, ALLOW_CHANGES_OF_ITEMS),
    ]
