import django.db.models.deletion
from django.db import migrations, models


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
    ]
