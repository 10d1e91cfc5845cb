from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The index of all names has the youngest namesake first.

    Outside a transaction: syncs go on writing the table.
    """

    atomic = False
    dependencies = [("inventory", "0021_sort_all_by_name_alone")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS resource_by_name_youngest",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="resource",
            index=models.Index(
                models.F("name"),
                models.F("id") * -1,
                name="resource_by_name_youngest",
            ),
        ),
        RemoveIndexConcurrently(model_name="resource", name="resource_by_name_alone"),
    ]
