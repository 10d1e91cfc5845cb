import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations, models

_CONTAINS = {"deployment_slug_contains": "slug", "deployment_name_contains": "display_name"}
INDEXES = [
    ("deployment", models.Index(fields=["state", "-id"], name="deployment_by_state")),
    ("deployment", models.Index(fields=["slug", "-id"], name="deployment_by_slug")),
    ("deployment", models.Index(fields=["region", "-id"], name="deployment_by_region")),
    *(
        (
            "deployment",
            django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper(field), name="gin_trgm_ops"
                ),
                name=name,
            ),
        )
        for name, field in _CONTAINS.items()
    ),
    ("subscription", models.Index(fields=["status", "-id"], name="subscription_by_status")),
]


class Migration(migrations.Migration):
    """Indexes for the filters of the lists, made without a lock that keeps anybody waiting."""

    atomic = False
    dependencies = [("deployments", "0006_deployment_templates")]

    operations = [
        TrigramExtension(),
        *(
            operation
            for model, index in INDEXES
            for operation in (
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}",  # one that was cut short is of no use
                    migrations.RunSQL.noop,
                ),
                AddIndexConcurrently(model_name=model, index=index),
            )
        ),
    ]
