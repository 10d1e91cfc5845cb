from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

KINDS = [
    "droplet", "droplet_backup", "volume", "snapshot", "image", "spaces_bucket", "dns_zone", "reserved_ip",
    "load_balancer", "database", "kubernetes_cluster", "firewall", "vpc", "certificate", "cdn_endpoint", "app",
    "registry",
]
EVENT_TYPES = ["discovered", "updated", "tagged", "deleted", "restored", "drift_detected"]
CHECKS = {
    "resource": {
        "resource_kind_known": models.Q(kind__in=KINDS),
        "resource_attributed_by_known": models.Q(
            attributed_by__in=["operator", "saga", "tags", "parent", "project", ""]
        ),
    },
    "resourceevent": {"event_type_known": models.Q(event_type__in=EVENT_TYPES)},
    "syncrun": {
        "sync_run_mode_known": models.Q(mode__in=["fast", "full", "slow"]),
        "sync_run_outcome_known": models.Q(outcome__in=["complete", "failed", "suspicious", "skipped", ""]),
    },
}


class Migration(migrations.Migration):
    """Each check is added for new rows at once, and then for the old ones without keeping writers waiting.

    Outside a transaction: a check that was added and validated in one would hold its lock while a table of
    millions is read.
    """

    atomic = False
    dependencies = [("inventory", "0008_tell_an_unchanged_observation")]

    operations = [
        operation
        for model, checks in CHECKS.items()
        for name, condition in checks.items()
        for operation in (
            AddConstraintNotValid(
                model_name=model, constraint=models.CheckConstraint(condition=condition, name=name)
            ),
            ValidateConstraint(model_name=model, name=name),
        )
    ]
