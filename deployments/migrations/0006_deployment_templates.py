"""Templates; a published version never changes: refused by a trigger, for a shell too."""

import django.db.models.functions.datetime
from django.db import migrations, models

REFUSE_CHANGES = """
CREATE FUNCTION refuse_change_of_published_template() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL THEN
        RAISE EXCEPTION 'deployment template % v% was published and never changes: % is refused',
            OLD.code, OLD.version, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER published_template_never_changes BEFORE UPDATE OR DELETE ON deployment_templates
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_published_template();
"""
ALLOW_CHANGES = """
DROP TRIGGER published_template_never_changes ON deployment_templates;
DROP FUNCTION refuse_change_of_published_template();
"""


class Migration(migrations.Migration):
    dependencies = [("deployments", "0005_history_is_append_only")]

    operations = [
        migrations.CreateModel(
            name="DeploymentTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField()),
                ("spec", models.JSONField()),
                ("published_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("published_by", models.TextField(blank=True, default="", editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "db_table": "deployment_templates",
                "ordering": ["code", "version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code", "version"), name="deployment_template_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gt", 0)), name="deployment_template_version_positive"
                    ),
                ],
            },
        ),
        migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES),
    ]
