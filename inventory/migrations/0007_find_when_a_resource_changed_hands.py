from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Outside a transaction: the history may be long, and syncs go on adding to it."""

    atomic = False
    dependencies = [("inventory", "0006_index_the_live_and_the_gone_apart")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS event_changed_hands",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="resourceevent",
            index=models.Index(
                fields=["resource", "id"],
                condition=models.Q(changes__has_key="tenant_id"),
                name="event_changed_hands",
            ),
        ),
    ]
