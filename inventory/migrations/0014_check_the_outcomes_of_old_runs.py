from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own: the one that added the check holds a lock that keeps every run waiting."""

    dependencies = [("inventory", "0013_resume_long_readings")]

    operations = [ValidateConstraint(model_name="syncrun", name="sync_run_outcome_known")]
