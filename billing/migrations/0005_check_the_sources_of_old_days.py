from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own: the one that added the checks holds locks that keep every reader waiting."""

    dependencies = [("billing", "0004_reported_costs_and_changed_spans")]

    operations = [
        ValidateConstraint(model_name="costday", name="cost_day_source_known"),
        ValidateConstraint(model_name="dailycost", name="daily_cost_source_known"),
    ]
