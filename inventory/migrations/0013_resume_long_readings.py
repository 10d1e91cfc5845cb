from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

OUTCOMES = ["complete", "failed", "suspicious", "skipped", "interrupted", ""]
CHOICES = [
    ("complete", "Complete"), ("failed", "Failed"), ("suspicious", "Suspicious"), ("skipped", "Skipped"),
    ("interrupted", "Interrupted"), ("", "running"),
]  # fmt: skip


class Migration(migrations.Migration):
    """Columns without a value for old rows: none is written. The next migration looks at the old outcomes."""

    dependencies = [("inventory", "0012_find_tags_in_any_case")]

    operations = [
        migrations.CreateModel(
            name="UnfinishedReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("began_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("calls", models.PositiveIntegerField()),
                ("listing", models.PositiveSmallIntegerField()),
                ("offset", models.PositiveIntegerField()),
                ("is_second", models.BooleanField()),
                ("seen_before", models.PositiveIntegerField()),
                ("counted", models.PositiveIntegerField()),
                ("distinct", models.BinaryField()),
                ("anchor", models.BinaryField()),
            ],
            options={"db_table": "sync_readings"},
        ),
        migrations.AddField(
            model_name="project",
            name="resources_read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="resource",
            name="details_read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="needed_calls",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="oldest_part_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="syncrun",
            name="outcome",
            field=models.CharField(blank=True, choices=CHOICES, default="", max_length=12),
        ),
        migrations.RemoveConstraint(model_name="syncrun", name="sync_run_outcome_known"),
        AddConstraintNotValid(
            model_name="syncrun",
            constraint=models.CheckConstraint(
                condition=models.Q(outcome__in=OUTCOMES), name="sync_run_outcome_known"
            ),
        ),
    ]
