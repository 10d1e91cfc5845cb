from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

RULES = ["operator", "ours", "saga", "tags", "parent", "project", ""]


class Migration(migrations.Migration):
    """A resource may be marked as the operator's own.

    Outside a transaction, as the ninth: the new check holds for new rows at once, and is then validated for the
    old ones without keeping writers waiting. Every row that the old one took, the new one takes.
    """

    atomic = False
    dependencies = [("inventory", "0017_find_resources_by_address")]

    operations = [
        migrations.AlterField(
            model_name="resource",
            name="attributed_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("operator", "Operator"), ("ours", "Ours"), ("saga", "Saga"), ("tags", "Tags"),
                    ("parent", "Parent"), ("project", "Project"), ("", "none"),
                ],
                default="",
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="resource", name="resource_attributed_by_known"),
        AddConstraintNotValid(
            model_name="resource",
            constraint=models.CheckConstraint(
                condition=models.Q(attributed_by__in=RULES), name="resource_attributed_by_known"
            ),
        ),
        ValidateConstraint(model_name="resource", name="resource_attributed_by_known"),
        AddConstraintNotValid(
            model_name="resource",
            constraint=models.CheckConstraint(
                condition=~models.Q(attributed_by="ours") | models.Q(tenant_id=None),
                name="resource_ours_without_tenant",
            ),
        ),
        ValidateConstraint(model_name="resource", name="resource_ours_without_tenant"),
    ]  # fmt: skip
