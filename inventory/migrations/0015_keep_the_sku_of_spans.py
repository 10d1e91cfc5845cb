from django.db import migrations, models


class Migration(migrations.Migration):
    """The next migration fills it; what older workers write meanwhile has none until the resource changes."""

    dependencies = [("inventory", "0014_check_the_outcomes_of_old_runs")]

    operations = [
        migrations.AddField(
            model_name="resourcespan",
            name="sku",
            field=models.TextField(blank=True, null=True),
        ),
    ]
