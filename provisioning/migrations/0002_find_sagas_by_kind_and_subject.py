import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Outside a transaction: sagas go on meanwhile."""

    atomic = False
    dependencies = [("provisioning", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(name="sagarun", options={"verbose_name": "saga"}),
        migrations.AlterModelOptions(name="provisioned", options={"verbose_name": "desired state"}),
        AddIndexConcurrently(
            model_name="sagarun",
            index=models.Index(fields=["kind", "-id"], name="saga_of_kind"),
        ),
        AddIndexConcurrently(
            model_name="sagarun",
            index=models.Index(
                fields=["-id"],
                condition=models.Q(compensation_failures__gt=0),
                name="saga_not_wholly_undone",
            ),
        ),
        AddIndexConcurrently(
            model_name="sagarun",
            index=django.contrib.postgres.indexes.GinIndex(fields=["subjects"], name="saga_about"),
        ),
    ]
