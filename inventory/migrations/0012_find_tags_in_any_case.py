import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations

import inventory.models

LOWER_ALL = """
CREATE OR REPLACE FUNCTION lower_all(texts text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT coalesce(array_agg(lower(each)), '{}') FROM unnest(texts) AS each $$
"""


class Migration(migrations.Migration):
    """The provider gives a tag back with the capitals that it was first made with. Outside a transaction."""

    atomic = False
    dependencies = [("inventory", "0011_keep_the_sagas_word")]

    operations = [
        migrations.RunSQL(LOWER_ALL, "DROP FUNCTION IF EXISTS lower_all(text[])"),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS resource_tagged_any_case",  # one that was cut short is of no use
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="resource",
            index=django.contrib.postgres.indexes.GinIndex(
                inventory.models.LowerAll("tags"), name="resource_tagged_any_case"
            ),
        ),
        RemoveIndexConcurrently(model_name="resource", name="resource_tagged"),
    ]
