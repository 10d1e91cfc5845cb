import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    """The global search finds tenants by a part of their ids. Outside a transaction."""

    atomic = False
    dependencies = [("deployments", "0007_find_deployments_by_what_is_filtered")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS deployment_tenant_contains",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="deployment",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("tenant_id"), name="gin_trgm_ops"
                ),
                name="deployment_tenant_contains",
            ),
        ),
    ]
