import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models

MODES = [("none", "None"), ("shared", "Shared"), ("dedicated", "Dedicated"), ("own_key", "Own key")]
CHECKS = {
    "deployment_llm_mode_known": models.Q(llm_mode__in=["none", "shared", "dedicated", "own_key"]),
    "deployment_template_has_version": models.Q(template_code=None, template_version=None)
    | ~models.Q(template_code=None) & ~models.Q(template_version=None),
}


class Migration(migrations.Migration):
    """Columns with a default of the database's are added without writing a row; checks and index without a lock."""

    atomic = False
    dependencies = [("deployments", "0002_find_tenants_in_any_case")]

    operations = [
        migrations.AddField(
            "deployment", "billing_action_suspended", models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(
            "deployment",
            "llm_mode",
            models.CharField(
                choices=MODES, db_default="none", default="none", max_length=10, verbose_name="LLM mode"
            ),
        ),
        migrations.AddField(
            "deployment", "template_code", models.CharField(blank=True, max_length=60, null=True)
        ),
        migrations.AddField("deployment", "template_version", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AlterField(
            "deployment",
            "created_at",
            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        *(
            operation
            for name, condition in CHECKS.items()
            for operation in (
                AddConstraintNotValid(
                    model_name="deployment", constraint=models.CheckConstraint(condition=condition, name=name)
                ),
                ValidateConstraint(model_name="deployment", name=name),
            )
        ),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS deployment_in_trial",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="deployment",
            index=models.Index(
                condition=models.Q(("state", "trial")), fields=["id"], name="deployment_in_trial"
            ),
        ),
    ]
