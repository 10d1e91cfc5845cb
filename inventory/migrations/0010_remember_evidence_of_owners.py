import django.db.models.deletion
from django.db import migrations, models

# What a saga said of resources that an operator has assigned since is in their history alone, and stays there.
KEEP_THE_SAGAS_WORD = """
UPDATE cloud_resources SET saga_tenant_id = tenant_id, saga_deployment_id = deployment_id
WHERE attributed_by = 'saga'
"""


class Migration(migrations.Migration):
    dependencies = [("deployments", "0001_initial"), ("inventory", "0009_refuse_unknown_choices")]

    operations = [
        migrations.AddField("resource", "project_seen_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("resource", "saga_tenant_id", models.TextField(blank=True, null=True)),
        migrations.AddField(
            "resource",
            "saga_deployment",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="deployments.deployment",
            ),
        ),
        migrations.RunSQL(KEEP_THE_SAGAS_WORD, migrations.RunSQL.noop),
    ]
