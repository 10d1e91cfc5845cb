from django.db import migrations, models

# Rows that were seeded before said so in their source alone. A few dozen rows.
_MARK = """
UPDATE provider_prices SET is_verified = false WHERE source LIKE 'not verified%'
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_margin")]

    operations = [
        migrations.AddField(
            model_name="providerprice",
            name="is_verified",
            field=models.BooleanField(db_default=True, default=True, verbose_name="verified"),
        ),
        migrations.RunSQL(_MARK, migrations.RunSQL.noop),
    ]
