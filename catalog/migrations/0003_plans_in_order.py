"""An index for the list of plans, which is paged by `sort`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_published_versions_never_change")]

    operations = [
        migrations.AddIndex(
            model_name="plan", index=models.Index(fields=["sort", "id"], name="plans_in_order")
        ),
    ]
