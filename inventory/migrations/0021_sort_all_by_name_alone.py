from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Replace the index of all resources by name and id, which lookups by id were planned with.

    Outside a transaction: syncs go on writing the table.
    """

    atomic = False
    dependencies = [("inventory", "0020_labels")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS resource_by_name_alone",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="resource",
            index=models.Index(fields=["name"], name="resource_by_name_alone"),
        ),
        RemoveIndexConcurrently(model_name="resource", name="resource_by_name"),
    ]
