"""The feed of events, and the triggers that write it. It begins with this migration."""

from django.db import migrations, models

# For each statement, not each row: a sync writes thousands of events at once. A resource that belongs to no
# tenant has no reader; its history keeps the event.
WRITE_FEED = """
CREATE FUNCTION feed_resource_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_feed (transaction_id, tenant_id, subject, subject_id, event_type, source_id, at)
    SELECT pg_current_xact_id()::text::bigint, resource.tenant_id, 'resource', resource.id, written.event_type,
        written.id, written.at
    FROM written
    -- Looked up one by one: statistics of an empty table would have the join read all of it.
    CROSS JOIN LATERAL (SELECT id, tenant_id FROM cloud_resources WHERE id = written.resource_id LIMIT 1) AS resource
    WHERE resource.tenant_id IS NOT NULL
    ORDER BY written.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_are_fed AFTER INSERT ON cloud_resource_events
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION feed_resource_events();

CREATE FUNCTION feed_deployment_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_feed (transaction_id, tenant_id, subject, subject_id, event_type, source_id, at)
    SELECT pg_current_xact_id()::text::bigint, deployment.tenant_id, 'deployment', deployment.id,
        written.event_type, written.id, written.at
    FROM written
    JOIN cloud_deployments AS deployment ON deployment.id = written.deployment_id
    ORDER BY written.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_are_fed AFTER INSERT ON cloud_deployment_events
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION feed_deployment_events();

CREATE FUNCTION feed_saga_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_feed (transaction_id, tenant_id, subject, subject_id, event_type, at)
    VALUES (pg_current_xact_id()::text::bigint, NEW.tenant_id, 'saga', NEW.id, NEW.status, clock_timestamp());
    RETURN NULL;
END
$$;
-- The condition costs nothing where it is false: sagas of no tenant, and the engine's many other updates.
CREATE TRIGGER status_is_fed_at_start AFTER INSERT ON saga_runs
    FOR EACH ROW WHEN (NEW.tenant_id IS NOT NULL) EXECUTE FUNCTION feed_saga_status();
CREATE TRIGGER status_is_fed AFTER UPDATE OF status ON saga_runs
    FOR EACH ROW WHEN (NEW.tenant_id IS NOT NULL AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION feed_saga_status();
"""
STOP_FEED = """
DROP TRIGGER events_are_fed ON cloud_resource_events;
DROP TRIGGER events_are_fed ON cloud_deployment_events;
DROP TRIGGER status_is_fed_at_start ON saga_runs;
DROP TRIGGER status_is_fed ON saga_runs;
DROP FUNCTION feed_resource_events();
DROP FUNCTION feed_deployment_events();
DROP FUNCTION feed_saga_status();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("provisioning", "0005_find_sagas_that_are_too_late"),
        ("inventory", "0016_fill_the_sku_of_spans"),
        ("deployments", "0007_find_deployments_by_what_is_filtered"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("transaction_id", models.BigIntegerField()),
                ("tenant_id", models.TextField()),
                ("subject", models.CharField(choices=[("resource", "Resource"), ("deployment", "Deployment"), ("saga", "Saga")], max_length=10)),
                ("subject_id", models.BigIntegerField()),
                ("event_type", models.CharField(max_length=24)),
                ("source_id", models.BigIntegerField(blank=True, null=True)),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "event_feed",
                "indexes": [
                    models.Index(fields=["transaction_id", "id"], name="feed_in_order"),
                    models.Index(fields=["tenant_id", "transaction_id", "id"], name="feed_of_tenant"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("subject__in", ["resource", "deployment", "saga"])), name="feed_subject_known"),
                ],
            },
        ),
        migrations.RunSQL(WRITE_FEED, STOP_FEED),
    ]
