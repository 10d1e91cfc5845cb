from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    """The dearest first: what has no price comes last. Outside a transaction."""

    atomic = False
    dependencies = [("inventory", "0018_mark_our_own_resources")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS resource_live_dearest",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="resource",
            index=models.Index(
                F("monthly_price_cents").desc(nulls_last=True),
                F("id").desc(),
                condition=models.Q(deleted_at__isnull=True),
                name="resource_live_dearest",
            ),
        ),
    ]
