import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Outside a transaction: syncs go on reading the table."""

    atomic = False
    dependencies = [("deployments", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS deployment_tenant_any_case",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="deployment",
            index=models.Index(
                django.db.models.functions.text.Lower("tenant_id"), name="deployment_tenant_any_case"
            ),
        ),
    ]
