from django.db import migrations, models


class Migration(migrations.Migration):
    """Rows have no digest until they are seen again, and count as changed until then."""

    dependencies = [("inventory", "0007_find_when_a_resource_changed_hands")]

    operations = [
        migrations.AddField(
            model_name="resource",
            name="observed_digest",
            field=models.BinaryField(null=True),
        ),
    ]
