import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Columns that may be null, and a constraint that isn't proven yet: no row is read or rewritten."""

    dependencies = [("provisioning", "0003_saga_nonce")]

    operations = [
        migrations.CreateModel(
            name="ProviderOffer",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("sizes", models.JSONField(default=dict)),
                ("droplet_limit", models.PositiveIntegerField(null=True)),
                ("volume_limit", models.PositiveIntegerField(null=True)),
                ("reserved_ip_limit", models.PositiveIntegerField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("failure", models.TextField(blank=True, db_default="", default="")),
            ],
            options={
                "db_table": "provider_offer",
                "constraints": [models.CheckConstraint(condition=Q(id=1), name="provider_offer_once")],
            },
        ),
        migrations.AddField("sagarun", "start_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("sagarun", "not_after", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("sagarun", "begun_at", models.DateTimeField(blank=True, null=True)),
        AddConstraintNotValid(
            "sagarun",
            models.CheckConstraint(
                condition=Q(start_at__isnull=True) | Q(not_after__isnull=True) | Q(not_after__gt=F("start_at")),
                name="saga_window_forward",
            ),
        ),
    ]
