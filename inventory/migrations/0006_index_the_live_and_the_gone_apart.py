from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q
from django.db.migrations.operations.base import Operation


def _halves() -> list[models.Index]:
    indexes = []
    for half, is_live in (("live", True), ("gone", False)):
        of_half = Q(deleted_at__isnull=is_live)
        indexes.append(models.Index(fields=["id"], condition=of_half, name=f"resource_{half}"))
        for column in ("tenant_id", "kind", "region", "status", "name"):
            name = f"resource_{half}_by_{column}"
            indexes.append(models.Index(fields=[column, "id"], condition=of_half, name=name))
    return indexes


def _add(index: models.Index) -> list[Operation]:
    """An index that was cut short is there and of no use: it is made again."""
    return [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop),
        AddIndexConcurrently(model_name="resource", index=index),
    ]


_NOBODYS = models.Index(
    fields=["id"], condition=Q(deleted_at__isnull=True, attributed_by=""), name="resource_nobodys"
)


class Migration(migrations.Migration):
    """Outside a transaction: the table may be big, and syncs go on writing it. May be run again after a fault."""

    atomic = False
    dependencies = [("inventory", "0005_find_what_belongs_to_a_resource")]

    operations = [
        *(operation for index in (*_halves(), _NOBODYS) for operation in _add(index)),
        RemoveIndexConcurrently(model_name="resource", name="resource_of_tenant"),
        RemoveIndexConcurrently(model_name="resource", name="resource_of_kind"),
    ]
