from django.db import migrations, models

# Of the days that a month was summed up from; one that was computed since has its month computed again.
FILL = """
UPDATE margin_months
SET costs_until = greatest(
    (
        SELECT max(day) FROM cost_days
        WHERE day >= margin_months.month AND day < margin_months.month + interval '1 month'
          AND cost_days.computed_at <= margin_months.computed_at
    ),
    (SELECT max(last_day) FROM margin_costs WHERE margin_costs.month = margin_months.month)
)
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_simulated_costs_without_a_price")]

    operations = [
        migrations.AddField(
            model_name="marginmonth",
            name="costs_until",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
