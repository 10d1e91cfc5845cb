
import catalog.columns
import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
from decimal import Decimal
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('description', models.TextField(blank=True)),
                ('public', models.BooleanField(default=True)),
                ('sort', models.IntegerField(default=0)),
            ],
            options={
                'db_table': 'plans',
                'ordering': ['sort', 'code'],
            },
        ),
        migrations.CreateModel(
            name='Addon',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                ('qty', models.DecimalField(decimal_places=6, max_digits=24)),
                ('price_cents', models.BigIntegerField(validators=[django.core.validators.MinValueValidator(0)])),
                ('currency', models.CharField(default='AUD', max_length=3)),
                ('active', models.BooleanField(default=True)),
            ],
            options={
                'db_table': 'addons',
                'ordering': ['code'],
                'constraints': [models.CheckConstraint(condition=models.Q(('price_cents__gte', 0)), name='addon_price_not_negative'), models.CheckConstraint(condition=models.Q(('qty__gt', 0)), name='addon_quantity_positive'), models.CheckConstraint(condition=models.Q(('resource_kind__in', ['droplet_hours', 'spaces_gb_month', 'snapshot_gb_month', 'backup_gb_month', 'volume_gb_month', 'bandwidth_gb', 'dns_zones', 'load_balancer_hours', 'database_hours', 'reserved_ip_hours', 'llm_tokens'])), name='addon_kind_known'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='addon_currency_code')],
            },
        ),
        migrations.CreateModel(
            name='PlanVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('base_price_cents', models.BigIntegerField(validators=[django.core.validators.MinValueValidator(0)])),
                ('currency', models.CharField(default='AUD', max_length=3)),
                ('billing_interval', models.CharField(choices=[('month', 'Month')], default='month', max_length=10)),
                ('proration', models.CharField(choices=[('none', 'In full'), ('daily', 'By days')], default='none', max_length=10)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('retired', 'Retired')], default='draft', max_length=10)),
                ('published_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='catalog.plan')),
            ],
            options={
                'db_table': 'plan_versions',
                'ordering': ['plan', 'number'],
            },
        ),
        migrations.CreateModel(
            name='PlanItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                ('included_qty', models.DecimalField(decimal_places=6, default=Decimal('0'), max_digits=24)),
                ('overage_unit', models.DecimalField(decimal_places=6, default=Decimal('1'), max_digits=24)),
                ('overage_price_cents', models.BigIntegerField(blank=True, null=True)),
                ('hard_cap_qty', models.DecimalField(blank=True, decimal_places=6, max_digits=24, null=True)),
                ('price_model', models.CharField(choices=[('per_unit', 'Per unit'), ('package', 'Package'), ('graduated', 'Graduated tiers'), ('volume', 'Volume tiers')], default='per_unit', max_length=10)),
                ('tiers', models.JSONField(blank=True, default=list)),
                ('minimum_cents', models.BigIntegerField(blank=True, null=True)),
                ('maximum_cents', models.BigIntegerField(blank=True, null=True)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='catalog.planversion')),
            ],
            options={
                'db_table': 'plan_items',
                'ordering': ['version', 'resource_kind'],
            },
        ),
        migrations.CreateModel(
            name='ResourcePrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                ('currency', models.CharField(default='AUD', max_length=3)),
                ('unit_qty', models.DecimalField(decimal_places=6, default=Decimal('1'), max_digits=24)),
                ('price_cents', models.DecimalField(decimal_places=10, max_digits=22)),
                ('effective_from', models.DateField()),
                ('effective_to', models.DateField(blank=True, null=True)),
            ],
            options={
                'db_table': 'resource_prices',
                'ordering': ['resource_kind', 'currency', 'effective_from'],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('resource_kind', '='), ('currency', '='), (catalog.columns.DateRange('effective_from', 'effective_to'), '&&')], name='resource_price_overlaps_none'), models.CheckConstraint(condition=models.Q(('price_cents__gte', 0), ('unit_qty__gt', 0)), name='resource_price_not_negative'), models.CheckConstraint(condition=models.Q(('effective_to', None), ('effective_to__gt', models.F('effective_from')), _connector='OR'), name='resource_price_forward'), models.CheckConstraint(condition=models.Q(('resource_kind__in', ['droplet_hours', 'spaces_gb_month', 'snapshot_gb_month', 'backup_gb_month', 'volume_gb_month', 'bandwidth_gb', 'dns_zones', 'load_balancer_hours', 'database_hours', 'reserved_ip_hours', 'llm_tokens'])), name='resource_price_kind_known'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='resource_price_currency_code')],
            },
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20)),
                ('currency', models.CharField(default='AUD', max_length=3)),
                ('percent', models.DecimalField(decimal_places=6, max_digits=9)),
                ('effective_from', models.DateField()),
                ('effective_to', models.DateField(blank=True, null=True)),
            ],
            options={
                'db_table': 'tax_rates',
                'ordering': ['currency', 'code', 'effective_from'],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('code', '='), ('currency', '='), (catalog.columns.DateRange('effective_from', 'effective_to'), '&&')], name='tax_rate_overlaps_none'), models.CheckConstraint(condition=models.Q(('percent__gte', 0)), name='tax_rate_not_negative'), models.CheckConstraint(condition=models.Q(('effective_to', None), ('effective_to__gt', models.F('effective_from')), _connector='OR'), name='tax_rate_forward'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='tax_rate_currency_code')],
            },
        ),
        migrations.CreateModel(
            name='PlanTenant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tenant_id', models.TextField()),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tenants', to='catalog.plan')),
            ],
            options={
                'db_table': 'plan_tenants',
                'constraints': [models.UniqueConstraint(fields=('plan', 'tenant_id'), name='plan_offered_once_per_tenant'), models.CheckConstraint(condition=models.Q(('tenant_id', ''), _negated=True), name='plan_tenant_named')],
            },
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.UniqueConstraint(fields=('plan', 'number'), name='plan_version_number_once'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('plan',), name='plan_has_one_active_version'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('base_price_cents__gte', 0)), name='plan_version_price_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('published_at', None), ('status', 'draft')), models.Q(models.Q(('status', 'draft'), _negated=True), models.Q(('published_at', None), _negated=True)), _connector='OR'), name='plan_version_published_once_no_draft'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'active', 'retired'])), name='plan_version_status_known'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('proration__in', ['none', 'daily'])), name='plan_version_proration_known'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('billing_interval__in', ['month'])), name='plan_version_interval_known'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='plan_version_currency_code'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.UniqueConstraint(fields=('version', 'resource_kind'), name='plan_item_kind_once'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.CheckConstraint(condition=models.Q(('included_qty__gte', 0), ('overage_unit__gt', 0), models.Q(('hard_cap_qty', None), ('hard_cap_qty__gte', 0), _connector='OR')), name='plan_item_quantities_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('overage_price_cents', None), ('overage_price_cents__gte', 0), _connector='OR'), models.Q(('minimum_cents', None), ('minimum_cents__gte', 0), _connector='OR'), models.Q(('maximum_cents', None), ('maximum_cents__gte', 0), _connector='OR')), name='plan_item_prices_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.CheckConstraint(condition=models.Q(('minimum_cents', None), ('maximum_cents', None), ('minimum_cents__lte', models.F('maximum_cents')), _connector='OR'), name='plan_item_minimum_under_maximum'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('overage_price_cents', None), ('price_model__in', ('graduated', 'volume')), models.Q(('tiers', []), _negated=True)), models.Q(models.Q(('price_model__in', ('graduated', 'volume')), _negated=True), ('tiers', [])), _connector='OR'), name='plan_item_tiers_where_tiered'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.CheckConstraint(condition=models.Q(('resource_kind__in', ['droplet_hours', 'spaces_gb_month', 'snapshot_gb_month', 'backup_gb_month', 'volume_gb_month', 'bandwidth_gb', 'dns_zones', 'load_balancer_hours', 'database_hours', 'reserved_ip_hours', 'llm_tokens'])), name='plan_item_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.CheckConstraint(condition=models.Q(('price_model__in', ['per_unit', 'package', 'graduated', 'volume'])), name='plan_item_price_model_known'),
        ),
    ]
