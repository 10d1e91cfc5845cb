import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="InvoiceItemsPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("next_offset", models.PositiveIntegerField()),
                ("total", models.PositiveIntegerField(blank=True, null=True)),
                ("rows", models.TextField()),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="billing.providerinvoice",
                    ),
                ),
            ],
            options={"db_table": "cloud_invoice_items"},
        ),
        migrations.AddConstraint(
            model_name="invoiceitemspart",
            constraint=models.UniqueConstraint(
                fields=("invoice", "next_offset"), name="invoice_items_part_once"
            ),
        ),
    ]
