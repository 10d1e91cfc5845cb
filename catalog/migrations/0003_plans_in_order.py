"""Indexes for the lists of plans and add-ons, which are paged in order, and the words in which constraints refuse a form."""

import catalog.columns
import django.contrib.postgres.constraints
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_published_versions_never_change'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='plan',
            index=models.Index(fields=['sort', 'id'], name='plans_in_order'),
        ),
        migrations.AddIndex(
            model_name='addon',
            index=models.Index(fields=['code', 'id'], name='addons_in_order'),
        ),
        migrations.AlterConstraint(
            model_name='planitem',
            name='plan_item_minimum_under_maximum',
            constraint=models.CheckConstraint(condition=models.Q(('minimum_cents', None), ('maximum_cents', None), ('minimum_cents__lte', models.F('maximum_cents')), _connector='OR'), name='plan_item_minimum_under_maximum', violation_error_message='The minimum spend is at most the maximum.'),
        ),
        migrations.AlterConstraint(
            model_name='planitem',
            name='plan_item_tiers_where_tiered',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('overage_price_cents', None), ('price_model__in', ('graduated', 'volume')), models.Q(('tiers', []), _negated=True)), models.Q(models.Q(('price_model__in', ('graduated', 'volume')), _negated=True), ('tiers', [])), _connector='OR'), name='plan_item_tiers_where_tiered', violation_error_message='A tiered price has tiers and no single price; others have no tiers.'),
        ),
        migrations.AlterConstraint(
            model_name='resourceprice',
            name='resource_price_overlaps_none',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('resource_kind', '='), ('currency', '='), (catalog.columns.DateRange('effective_from', 'effective_to'), '&&')], name='resource_price_overlaps_none', violation_error_message='Another price of this kind and currency is in force on these days.'),
        ),
        migrations.AlterConstraint(
            model_name='resourceprice',
            name='resource_price_forward',
            constraint=models.CheckConstraint(condition=models.Q(('effective_to', None), ('effective_to__gt', models.F('effective_from')), _connector='OR'), name='resource_price_forward', violation_error_message='It ends after the day on which it begins.'),
        ),
        migrations.AlterConstraint(
            model_name='taxrate',
            name='tax_rate_overlaps_none',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('code', '='), ('currency', '='), (catalog.columns.DateRange('effective_from', 'effective_to'), '&&')], name='tax_rate_overlaps_none', violation_error_message='Another rate of this tax is in force on these days.'),
        ),
        migrations.AlterConstraint(
            model_name='taxrate',
            name='tax_rate_forward',
            constraint=models.CheckConstraint(condition=models.Q(('effective_to', None), ('effective_to__gt', models.F('effective_from')), _connector='OR'), name='tax_rate_forward', violation_error_message='It ends after the day on which it begins.'),
        ),
    ]
