from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Outside a transaction: the table may be big, and syncs go on writing it."""

    atomic = False
    dependencies = [("inventory", "0004_attribution_by_tags_and_parents")]

    operations = [
        AddIndexConcurrently(
            model_name="resource",
            index=models.Index(
                fields=["parent_kind", "parent_id"],
                condition=~models.Q(parent_id=""),
                name="resource_of_parent",
            ),
        ),
    ]
