import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations


class Migration(migrations.Migration):
    """Django's `icontains` compares UPPER(name), so an index on the name itself was never used."""

    dependencies = [("inventory", "0002_rules_of_the_database")]

    operations = [
        migrations.RemoveIndex(model_name="resource", name="resource_name_contains"),
        migrations.AddIndex(
            model_name="resource",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                ),
                name="resource_name_contains",
            ),
        ),
    ]
