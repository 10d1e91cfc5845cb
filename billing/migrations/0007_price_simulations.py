"""Price simulations and their rows: new tables, nothing else is touched."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_money_audit'),
        ('catalog', '0004_note_of_a_publication'),
        ('deployments', '0007_find_deployments_by_what_is_filtered'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlanSimulation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version_name', models.CharField(max_length=80, verbose_name='version')),
                ('terms_digest', models.CharField(max_length=64)),
                ('currency', models.CharField(max_length=3)),
                ('first_month', models.DateField()),
                ('month_count', models.PositiveSmallIntegerField(verbose_name='months')),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('completed', 'Completed'), ('failed', 'Failed')], default='queued', max_length=10)),
                ('error', models.TextField(blank=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('requested_by', models.TextField()),
                ('requested_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('subscribers', models.PositiveIntegerField(blank=True, null=True)),
                ('subscribers_done', models.PositiveIntegerField(default=0)),
                ('other_currency', models.PositiveIntegerField(default=0)),
                ('months_left_out', models.PositiveIntegerField(default=0)),
                ('months_quoted', models.PositiveIntegerField(default=0)),
                ('pay_more', models.PositiveIntegerField(default=0)),
                ('pay_less', models.PositiveIntegerField(default=0)),
                ('cross_into_overage', models.PositiveIntegerField(default=0)),
                ('revenue_now', models.DecimalField(decimal_places=10, default=Decimal('0'), max_digits=24)),
                ('revenue_then', models.DecimalField(decimal_places=10, default=Decimal('0'), max_digits=24)),
                ('cost', models.DecimalField(blank=True, decimal_places=10, max_digits=24, null=True)),
                ('cost_unknown', models.TextField(blank=True)),
                ('plan_version', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalog.planversion')),
            ],
            options={
                'db_table': 'plan_simulations',
            },
        ),
        migrations.CreateModel(
            name='PlanSimulationRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tenant_id', models.TextField()),
                ('month', models.DateField()),
                ('revenue_now', models.DecimalField(decimal_places=10, max_digits=24)),
                ('revenue_then', models.DecimalField(decimal_places=10, max_digits=24)),
                ('cost', models.DecimalField(blank=True, decimal_places=10, max_digits=24, null=True)),
                ('crosses_into', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('loses_price', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('size', models.GeneratedField(db_persist=True, expression=django.db.models.functions.math.Abs(django.db.models.expressions.CombinedExpression(models.F('revenue_then'), '-', models.F('revenue_now'))), output_field=models.DecimalField(decimal_places=10, max_digits=24))),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deployments.deployment')),
                ('simulation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='billing.plansimulation')),
                ('subscription', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deployments.subscription')),
            ],
            options={
                'db_table': 'plan_simulation_rows',
            },
        ),
        migrations.AddIndex(
            model_name='plansimulation',
            index=models.Index(fields=['plan_version', '-id'], name='plan_simulation_of_version'),
        ),
        migrations.AddConstraint(
            model_name='plansimulation',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('queued', 'running'))), fields=('plan_version', 'terms_digest', 'first_month', 'month_count'), name='plan_simulation_runs_once'),
        ),
        migrations.AddConstraint(
            model_name='plansimulation',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'completed', 'failed'])), name='plan_simulation_status_known'),
        ),
        migrations.AddConstraint(
            model_name='plansimulation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('status__in', ('completed', 'failed'))), models.Q(('finished_at', None), ('status__in', ('queued', 'running'))), _connector='OR'), name='plan_simulation_finished_at_its_end'),
        ),
        migrations.AddConstraint(
            model_name='plansimulation',
            constraint=models.CheckConstraint(condition=models.Q(('month_count__gte', 1), ('month_count__lte', 12)), name='plan_simulation_months_bounded'),
        ),
        migrations.AddConstraint(
            model_name='plansimulation',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='plan_simulation_currency_code'),
        ),
        migrations.AddIndex(
            model_name='plansimulationrow',
            index=models.Index(fields=['simulation', '-size', '-id'], name='plan_simulation_row_largest'),
        ),
        migrations.AddConstraint(
            model_name='plansimulationrow',
            constraint=models.UniqueConstraint(fields=('simulation', 'subscription', 'month'), name='plan_simulation_row_once'),
        ),
    ]
