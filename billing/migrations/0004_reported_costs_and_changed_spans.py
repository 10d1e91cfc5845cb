"""The items that the provider reports, and the trigger that records what costs depend on in the past of spans."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

SOURCES = [("billed", "Billed"), ("reported", "Reported"), ("accrued", "Accrued")]
NAMES = ["billed", "reported", "accrued"]

# The month of the newest computed day and the one before are computed again by the next run anyhow, so a change since
# then is none to be recorded: of a fleet that lives, hardly any is. Where a span only ends, what came before its end
# stays as it was. Whether a resource runs changes nothing: switched off it costs the same.
RECORD_SPAN_COST_CHANGES = """
CREATE FUNCTION record_span_cost_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    present timestamptz := (
        SELECT date_trunc('month', max(day)::timestamp) AT TIME ZONE 'UTC' FROM cost_days WHERE source = 'accrued'
    );
BEGIN
    IF present IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO span_cost_changes (resource_id, since, until)
        SELECT resource_id, lower(during), upper(during) FROM span_after
        WHERE lower(during) < present;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO span_cost_changes (resource_id, since, until)
        SELECT resource_id, lower(during), upper(during) FROM span_before
        WHERE lower(during) < present;
    ELSE
        INSERT INTO span_cost_changes (resource_id, since, until)
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
                SELECT (span_before.tenant_id, span_before.deployment_id, span_before.size_gb, span_before.sku)
                       IS NOT DISTINCT FROM
                       (span_after.tenant_id, span_after.deployment_id, span_after.size_gb, span_after.sku) AS are_same
            ) AS facts
        ) AS change
        WHERE since < present AND since < until;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER insert_changes_past_costs AFTER INSERT ON resource_spans
    REFERENCING NEW TABLE AS span_after FOR EACH STATEMENT EXECUTE FUNCTION record_span_cost_changes();
CREATE TRIGGER update_changes_past_costs AFTER UPDATE ON resource_spans
    REFERENCING OLD TABLE AS span_before NEW TABLE AS span_after
    FOR EACH STATEMENT EXECUTE FUNCTION record_span_cost_changes();
CREATE TRIGGER delete_changes_past_costs AFTER DELETE ON resource_spans
    REFERENCING OLD TABLE AS span_before FOR EACH STATEMENT EXECUTE FUNCTION record_span_cost_changes();
"""
FORGET_SPAN_COST_CHANGES = """
DROP TRIGGER insert_changes_past_costs ON resource_spans;
DROP TRIGGER update_changes_past_costs ON resource_spans;
DROP TRIGGER delete_changes_past_costs ON resource_spans;
DROP FUNCTION record_span_cost_changes();
"""


def _check_sources(model: str, name: str) -> list[migrations.operations.base.Operation]:
    """Allow the new source: rows are checked from now on, the old ones by the next migration."""
    return [
        migrations.RemoveConstraint(model_name=model, name=name),
        AddConstraintNotValid(
            model_name=model,
            constraint=models.CheckConstraint(condition=models.Q(source__in=NAMES), name=name),
        ),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0003_price_resources_and_cost_days"),
        ("inventory", "0016_fill_the_sku_of_spans"),
    ]

    operations = [
        migrations.AlterField("costday", "source", models.CharField(choices=SOURCES, max_length=10)),
        migrations.AlterField("dailycost", "source", models.CharField(choices=SOURCES, max_length=10)),
        *_check_sources("costday", "cost_day_source_known"),
        *_check_sources("dailycost", "daily_cost_source_known"),
        migrations.CreateModel(
            name="ReportedItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("number", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=40)),
                ("name", models.TextField()),
                ("sku", models.TextField(blank=True)),
                ("region", models.TextField(blank=True)),
                ("description", models.TextField(blank=True)),
                ("amount", models.DecimalField(decimal_places=10, max_digits=24)),
                ("resource", models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inventory.resource")),
            ],
            options={
                "db_table": "reported_cost_items",
                "constraints": [models.UniqueConstraint(fields=("day", "number"), name="reported_item_once")],
            },
        ),
        migrations.CreateModel(
            name="SpanCostChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resource_id", models.BigIntegerField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(blank=True, null=True)),
            ],
            options={"db_table": "span_cost_changes"},
        ),
        migrations.RunSQL(RECORD_SPAN_COST_CHANGES, FORGET_SPAN_COST_CHANGES),
    ]
