from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    """Outside a transaction: sagas go on meanwhile."""

    atomic = False
    dependencies = [("provisioning", "0004_planned_and_scheduled")]

    operations = [
        ValidateConstraint("sagarun", "saga_window_forward"),
        AddIndexConcurrently(
            "sagarun",
            models.Index(
                condition=models.Q(("not_after__isnull", False), ("status", "pending")),
                fields=["not_after"],
                name="saga_too_late",
            ),
        ),
    ]
