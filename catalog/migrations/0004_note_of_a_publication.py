"""A note with a publication. The constant default writes no row, and the triggers let drafts change as before."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_plans_in_order'),
    ]

    operations = [
        migrations.AddField(
            model_name='planversion',
            name='publish_note',
            field=models.TextField(blank=True, db_default='', default='', editable=False),
        ),
    ]
