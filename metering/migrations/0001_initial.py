"""The tables of metering, and the trigger that records what of the past has changed in resources' spans."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


# A change within the hour that is running changes nothing that is metered yet. The second bound is for a database
# whose clock is behind what was metered. Where a span only ends, what came before its end stays as it was.
RECORD_SPAN_CHANGES = """
CREATE FUNCTION record_span_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    present timestamptz := greatest(
        date_trunc('hour', clock_timestamp(), 'UTC'),
        (SELECT max(period_start) FROM metered_periods WHERE granularity = 'daily') + interval '1 day'
    );
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO span_changes (resource_id, since, until)
        SELECT resource_id, lower(during), upper(during) FROM span_after
        WHERE lower(during) < present;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO span_changes (resource_id, since, until)
        SELECT resource_id, lower(during), upper(during) FROM span_before
        WHERE lower(during) < present;
    ELSE
        INSERT INTO span_changes (resource_id, since, until)
        SELECT resource_id, since, nullif(until, 'infinity')
        FROM (
            SELECT span_after.resource_id,
                   CASE
                       WHEN facts.are_same AND lower(span_before.during) = lower(span_after.during)
                       THEN least(upper(span_before.during), upper(span_after.during))
                       ELSE least(lower(span_before.during), lower(span_after.during))
                   END AS since,
                   CASE
                       WHEN facts.are_same AND upper(span_before.during) IS NOT DISTINCT FROM upper(span_after.during)
                       THEN greatest(lower(span_before.during), lower(span_after.during))
                       ELSE greatest(
                           coalesce(upper(span_before.during), 'infinity'), coalesce(upper(span_after.during), 'infinity'))
                   END AS until
            FROM span_before
            JOIN span_after USING (id)
            CROSS JOIN LATERAL (
                SELECT (span_before.deployment_id, span_before.active, span_before.size_gb)
                       IS NOT DISTINCT FROM (span_after.deployment_id, span_after.active, span_after.size_gb) AS are_same
            ) AS facts
        ) AS change
        WHERE since < present AND since < until;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER insert_changes_the_past AFTER INSERT ON resource_spans
    REFERENCING NEW TABLE AS span_after FOR EACH STATEMENT EXECUTE FUNCTION record_span_changes();
CREATE TRIGGER update_changes_the_past AFTER UPDATE ON resource_spans
    REFERENCING OLD TABLE AS span_before NEW TABLE AS span_after
    FOR EACH STATEMENT EXECUTE FUNCTION record_span_changes();
CREATE TRIGGER delete_changes_the_past AFTER DELETE ON resource_spans
    REFERENCING OLD TABLE AS span_before FOR EACH STATEMENT EXECUTE FUNCTION record_span_changes();
"""
FORGET_SPAN_CHANGES = """
DROP TRIGGER insert_changes_the_past ON resource_spans;
DROP TRIGGER update_changes_the_past ON resource_spans;
DROP TRIGGER delete_changes_the_past ON resource_spans;
DROP FUNCTION record_span_changes();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('deployments', '0006_deployment_templates'),
        ('inventory', '0014_check_the_outcomes_of_old_runs'),
    ]

    operations = [
        migrations.CreateModel(
            name='SpanChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_id', models.BigIntegerField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'db_table': 'span_changes',
            },
        ),
        migrations.CreateModel(
            name='MeteredPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('granularity', models.CharField(choices=[('daily', 'Daily'), ('hourly', 'Hourly')], max_length=8)),
                ('period_start', models.DateTimeField()),
                ('metered_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'metered_periods',
                'constraints': [models.UniqueConstraint(fields=('granularity', 'period_start'), name='metered_period_once'), models.CheckConstraint(condition=models.Q(('granularity__in', ['daily', 'hourly'])), name='metered_period_granularity_known')],
            },
        ),
        migrations.CreateModel(
            name='MeteringConfig',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                ('granularity', models.CharField(choices=[('daily', 'Daily'), ('hourly', 'Hourly')], default='daily', max_length=8)),
                ('retention_days', models.PositiveIntegerField(default=761)),
                ('effective_from', models.DateField()),
                ('set_by', models.TextField()),
                ('set_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'metering_config',
                'ordering': ['resource_kind', 'effective_from'],
                'constraints': [models.UniqueConstraint(fields=('resource_kind', 'effective_from'), name='metering_config_once_a_day'), models.CheckConstraint(condition=models.Q(('resource_kind__in', ['droplet_hours', 'spaces_gb_month', 'snapshot_gb_month', 'backup_gb_month', 'volume_gb_month', 'bandwidth_gb', 'dns_zones', 'load_balancer_hours', 'database_hours', 'reserved_ip_hours', 'llm_tokens'])), name='metering_config_kind_known'), models.CheckConstraint(condition=models.Q(('granularity__in', ['daily', 'hourly'])), name='metering_config_granularity_known'), models.CheckConstraint(condition=models.Q(('retention_days__gt', 0)), name='metering_config_retention_positive')],
            },
        ),
        migrations.CreateModel(
            name='UsageRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_kind', models.CharField(choices=[('droplet_hours', 'Droplet hours'), ('spaces_gb_month', 'Spaces, GB-months'), ('snapshot_gb_month', 'Snapshots, GB-months'), ('backup_gb_month', 'Backups, GB-months'), ('volume_gb_month', 'Volumes, GB-months'), ('bandwidth_gb', 'Bandwidth, GB'), ('dns_zones', 'DNS zones'), ('load_balancer_hours', 'Load balancer hours'), ('database_hours', 'Database hours'), ('reserved_ip_hours', 'Reserved IP hours'), ('llm_tokens', 'LLM tokens')], max_length=40)),
                ('period_start', models.DateTimeField()),
                ('period_end', models.DateTimeField()),
                ('granularity', models.CharField(choices=[('daily', 'Daily'), ('hourly', 'Hourly')], max_length=8)),
                ('qty', models.DecimalField(decimal_places=6, max_digits=24)),
                ('sub_attribution', models.JSONField(blank=True, null=True)),
                ('sub_account', models.TextField(blank=True, db_default='', default='')),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='usage', to='deployments.deployment')),
                ('resource', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='usage', to='inventory.resource')),
            ],
            options={
                'db_table': 'usage_records',
                'indexes': [django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['period_start'], name='usage_by_period', opclasses=['timestamptz_minmax_multi_ops'], pages_per_range=32)],
                'constraints': [models.UniqueConstraint(fields=('deployment', 'period_start', 'resource_kind', 'resource', 'granularity', 'sub_account'), include=('qty',), name='usage_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('resource_kind__in', ['droplet_hours', 'spaces_gb_month', 'snapshot_gb_month', 'backup_gb_month', 'volume_gb_month', 'bandwidth_gb', 'dns_zones', 'load_balancer_hours', 'database_hours', 'reserved_ip_hours', 'llm_tokens'])), name='usage_kind_known'), models.CheckConstraint(condition=models.Q(('granularity__in', ['daily', 'hourly'])), name='usage_granularity_known'), models.CheckConstraint(condition=models.Q(('period_end__gt', models.F('period_start'))), name='usage_period_forward'), models.CheckConstraint(condition=models.Q(('qty__gte', 0)), name='usage_not_negative')],
            },
        ),
        migrations.RunSQL(RECORD_SPAN_CHANGES, FORGET_SPAN_CHANGES),
    ]
