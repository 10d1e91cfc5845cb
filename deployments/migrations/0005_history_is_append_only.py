"""The history of deployments can't be rewritten: refused by triggers, for a shell too."""

from django.db import migrations

# The tests' databases set arcadia.rewrite_history, to be emptied between tests.
REFUSE_REWRITING = """
CREATE FUNCTION refuse_rewriting_deployments_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('arcadia.rewrite_history', true) = 'allowed in tests' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON cloud_deployment_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_deployments_history();
CREATE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON cloud_deployment_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting_deployments_history();
"""
ALLOW_REWRITING = """
DROP TRIGGER history_is_append_only ON cloud_deployment_events;
DROP TRIGGER history_is_not_truncated ON cloud_deployment_events;
DROP FUNCTION refuse_rewriting_deployments_history();
"""


class Migration(migrations.Migration):
    dependencies = [("deployments", "0004_subscriptions")]

    operations = [migrations.RunSQL(REFUSE_REWRITING, ALLOW_REWRITING)]
