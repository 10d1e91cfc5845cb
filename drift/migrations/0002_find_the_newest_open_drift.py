from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Outside a transaction: sweeps go on writing the table."""

    atomic = False
    dependencies = [("drift", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS drift_open_newest",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="drift",
            index=models.Index(fields=["-id"], condition=Q(status="open"), name="drift_open_newest"),
        ),
    ]
