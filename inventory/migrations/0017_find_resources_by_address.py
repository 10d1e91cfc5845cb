from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import inventory.models

# Canonical, as `host()` writes an address: the provider may write an IPv6 one in another form.
RESOURCE_ADDRESSES = """
CREATE OR REPLACE FUNCTION resource_addresses(attrs jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT coalesce(
        array_agg(CASE WHEN pg_input_is_valid(each, 'inet') THEN host(each::inet) ELSE lower(each) END)
            FILTER (WHERE each IS NOT NULL),
        '{}'
    )
    FROM jsonb_array_elements_text(
        '[]'::jsonb
        || coalesce(attrs -> 'ipv4_public', '[]') || coalesce(attrs -> 'ipv4_private', '[]')
        || coalesce(attrs -> 'ipv6_public', '[]') || coalesce(attrs -> 'ip', '[]') || coalesce(attrs -> 'ipv6', '[]')
    ) AS each
$$
"""


class Migration(migrations.Migration):
    """The global search finds a resource by any of its addresses. Outside a transaction."""

    atomic = False
    dependencies = [("inventory", "0016_fill_the_sku_of_spans")]

    operations = [
        migrations.RunSQL(RESOURCE_ADDRESSES, "DROP FUNCTION IF EXISTS resource_addresses(jsonb)"),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS resource_by_address",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="resource",
            index=GinIndex(
                inventory.models.ResourceAddresses("attrs"),
                condition=models.Q(kind__in=["droplet", "load_balancer"]),
                name="resource_by_address",
            ),
        ),
    ]
