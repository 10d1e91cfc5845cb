"""Usage events, in a table of a partition a month; and the bandwidth that the provider measures."""

import django.db.models.deletion
from django.db import migrations, models

# By month, so that retention drops whole tables. BRIN: events come in order of time, and such an index is all but free.
CREATE_EVENTS = """
CREATE TABLE usage_events (
    source_id bigint NOT NULL,
    event_id varchar(200) NOT NULL,
    month date NOT NULL,
    deployment_id bigint NOT NULL,
    resource_kind varchar(40) NOT NULL,
    sub_account text NOT NULL,
    occurred_at timestamptz NOT NULL,
    quantity numeric(24, 6) NOT NULL,
    reading numeric(24, 6),
    sequence bigint,
    is_reset boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, event_id, month),
    CONSTRAINT usage_event_not_negative CHECK (quantity >= 0 AND reading >= 0),
    CONSTRAINT usage_event_kind_known CHECK (resource_kind IN ('llm_tokens', 'bandwidth_gb')),
    CONSTRAINT usage_event_in_its_month
        CHECK (month = date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date),
    CONSTRAINT usage_event_reading_has_sequence CHECK ((reading IS NULL) = (sequence IS NULL)),
    CONSTRAINT usage_event_reset_has_reading CHECK (NOT is_reset OR reading IS NOT NULL)
) PARTITION BY RANGE (month);
CREATE INDEX usage_event_by_time ON usage_events USING brin (occurred_at);
CREATE FUNCTION refuse_rewriting_usage_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('arcadia.rewrite_history', true) = 'allowed in tests' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE ON usage_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_usage_events();
CREATE FUNCTION create_usage_events_partition(first_day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'usage_events_' || to_char(first_day, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Conflicts with itself and with no reader or writer: of two that make one month, the second finds it made.
    LOCK TABLE usage_events IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE usage_events INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE usage_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, first_day, (first_day + interval '1 month')::date);
    RETURN true;
END
$$;
CREATE FUNCTION drop_usage_events_partitions(before date) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'usage_events'::regclass AND relname < 'usage_events_' || to_char(before, 'YYYY_MM')
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        RETURN NEXT name;
    END LOOP;
END
$$;
"""
DROP_EVENTS = """
DROP TABLE usage_events;
DROP FUNCTION refuse_rewriting_usage_events();
DROP FUNCTION create_usage_events_partition(date);
DROP FUNCTION drop_usage_events_partitions(date);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0006_deployment_templates'),
        ('inventory', '0014_check_the_outcomes_of_old_runs'),
        ('metering', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='UsageSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tenant_id', models.TextField(blank=True, null=True)),
                ('name', models.CharField(max_length=200)),
                ('last_used_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'usage_sources',
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'name'), name='usage_source_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('tenant_id', ''), _negated=True), models.Q(('name', ''), _negated=True)), name='usage_source_named')],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE_EVENTS, DROP_EVENTS)],
            state_operations=[
                migrations.CreateModel(
                    name='UsageEvent',
                    fields=[
                        ('pk', models.CompositePrimaryKey('source_id', 'event_id', 'month', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('event_id', models.CharField(max_length=200)),
                        ('month', models.DateField()),
                        ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                        ('sub_account', models.TextField(blank=True, default='')),
                        ('occurred_at', models.DateTimeField()),
                        ('quantity', models.DecimalField(decimal_places=6, max_digits=24)),
                        ('reading', models.DecimalField(blank=True, decimal_places=6, max_digits=24, null=True)),
                        ('sequence', models.BigIntegerField(blank=True, null=True)),
                        ('is_reset', models.BooleanField(default=False)),
                        ('received_at', models.DateTimeField()),
                        ('deployment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='deployments.deployment')),
                        ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='metering.usagesource')),
                    ],
                    options={
                        'db_table': 'usage_events',
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='BandwidthMeasurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('gigabytes', models.DecimalField(decimal_places=6, max_digits=24)),
                ('coverage', models.DecimalField(decimal_places=4, max_digits=5)),
                ('samples', models.PositiveIntegerField()),
                ('note', models.TextField(blank=True, default='')),
                ('measured_at', models.DateTimeField()),
                ('resource', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bandwidth', to='inventory.resource')),
            ],
            options={
                'db_table': 'bandwidth_measurements',
                'constraints': [models.UniqueConstraint(fields=('resource', 'day'), name='bandwidth_measured_once'), models.CheckConstraint(condition=models.Q(('coverage__gte', 0), ('coverage__lte', 1), ('gigabytes__gte', 0)), name='bandwidth_in_bounds')],
            },
        ),
        migrations.CreateModel(
            name='BandwidthSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('provider', "The provider's monitoring"), ('intake', 'Usage events'), ('none', 'Not at all')], max_length=8)),
                ('effective_from', models.DateField()),
                ('set_by', models.TextField()),
                ('set_at', models.DateTimeField()),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bandwidth_sources', to='deployments.deployment')),
            ],
            options={
                'db_table': 'bandwidth_sources',
                'ordering': ['deployment', 'effective_from'],
                'constraints': [models.UniqueConstraint(fields=('deployment', 'effective_from'), name='bandwidth_source_once_a_day'), models.CheckConstraint(condition=models.Q(('source__in', ['provider', 'intake', 'none'])), name='bandwidth_source_known')],
            },
        ),
        migrations.CreateModel(
            name='UsageMeter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                ('sub_account', models.TextField(blank=True, default='')),
                ('reading', models.DecimalField(decimal_places=6, max_digits=24)),
                ('sequence', models.BigIntegerField()),
                ('read_at', models.DateTimeField()),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deployments.deployment')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='meters', to='metering.usagesource')),
            ],
            options={
                'db_table': 'usage_meters',
                'constraints': [models.UniqueConstraint(fields=('source', 'deployment', 'resource_kind', 'sub_account'), name='usage_meter_once'), models.CheckConstraint(condition=models.Q(('reading__gte', 0)), name='usage_meter_not_negative'), models.CheckConstraint(condition=models.Q(('resource_kind__in', ['droplet_hours', 'spaces_gb_month', 'snapshot_gb_month', 'backup_gb_month', 'volume_gb_month', 'bandwidth_gb', 'dns_zones', 'load_balancer_hours', 'database_hours', 'reserved_ip_hours', 'llm_tokens'])), name='usage_meter_kind_known')],
            },
        ),
    ]
