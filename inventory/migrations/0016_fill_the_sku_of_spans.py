from django.db import migrations, transaction

BATCH = 1000

# In the order of a batch of observations, so that no sync waits for this in a ring.
NEXT = """
    WITH batch AS (
        SELECT id FROM cloud_resources
        WHERE id > %(last)s AND kind IN ('droplet', 'database', 'load_balancer', 'reserved_ip')
        ORDER BY id
        LIMIT %(size)s
    ),
    locked AS (
        SELECT id FROM cloud_resources WHERE id IN (SELECT id FROM batch)
        ORDER BY kind, provider_id
        FOR NO KEY UPDATE
    )
    SELECT coalesce(array_agg(id), '{}'), max(id) FROM locked
"""

# History holds of each change the value before it, so at any time a field was what the first change after that time
# replaced, or else what it is now. A span in which one of them changed is cut there.
PIECES = """
    CREATE TEMPORARY TABLE sku_pieces ON COMMIT DROP AS
    WITH change AS MATERIALIZED (
        SELECT event.id, event.resource_id, event.at, event.changes
        FROM unnest(%(pks)s::bigint[]) AS pk
        CROSS JOIN LATERAL (
            SELECT event.id, resource_id, at, changes
            FROM cloud_resource_events AS event
            JOIN cloud_resources AS resource ON resource.id = resource_id
            WHERE resource_id = pk AND changes ?| CASE
                WHEN kind = 'reserved_ip' THEN ARRAY['status']
                ELSE ARRAY['size_slug', 'num_nodes', 'size', 'size_unit']
            END
        ) AS event
    ),
    bound AS (
        SELECT span.id AS span_id, span.resource_id, span.during, lower(span.during) AS since, true AS is_first
        FROM resource_spans AS span
        WHERE span.resource_id = ANY(%(pks)s::bigint[]) AND span.sku IS NULL
        UNION
        SELECT span.id, span.resource_id, span.during, change.at, false
        FROM resource_spans AS span
        JOIN change USING (resource_id)
        WHERE span.resource_id = ANY(%(pks)s::bigint[]) AND span.sku IS NULL
          AND lower(span.during) < change.at AND (upper_inf(span.during) OR change.at < upper(span.during))
    )
    SELECT bound.span_id, bound.is_first,
           tstzrange(
               bound.since,
               coalesce(lead(bound.since) OVER (PARTITION BY bound.span_id ORDER BY bound.since), upper(bound.during))
           ) AS during,
           CASE resource.kind
               WHEN 'droplet' THEN past.size_slug
               WHEN 'reserved_ip' THEN past.status
               WHEN 'database' THEN past.size_slug || ' x' || past.num_nodes
               ELSE coalesce('node x' || past.size_unit, nullif(past.size, ''))
           END AS sku
    FROM bound
    JOIN cloud_resources AS resource ON resource.id = bound.resource_id
    CROSS JOIN LATERAL (
        SELECT max(value) FILTER (WHERE field = 'status') AS status,
               max(value) FILTER (WHERE field = 'size_slug') AS size_slug,
               max(value) FILTER (WHERE field = 'num_nodes') AS num_nodes,
               max(value) FILTER (WHERE field = 'size') AS size,
               max(value) FILTER (WHERE field = 'size_unit') AS size_unit
        FROM unnest(ARRAY['status', 'size_slug', 'num_nodes', 'size', 'size_unit']) AS field
        CROSS JOIN LATERAL (
            SELECT CASE WHEN later.changes IS NOT NULL THEN later.changes -> field ->> 0
                        WHEN field = 'status' THEN resource.status
                        ELSE resource.attrs ->> field END AS value
            FROM (SELECT) AS one
            LEFT JOIN LATERAL (
                SELECT changes FROM change
                WHERE resource_id = resource.id AND at > bound.since AND changes ? field
                ORDER BY at, id
                LIMIT 1
            ) AS later ON true
        ) AS known
    ) AS past
"""

SHORTEN = """
    UPDATE resource_spans AS span SET during = piece.during, sku = piece.sku
    FROM sku_pieces AS piece
    WHERE span.id = piece.span_id AND piece.is_first AND piece.sku IS NOT NULL
"""

ADD = """
    INSERT INTO resource_spans (resource_id, during, deployment_id, tenant_id, active, size_gb, sku)
    SELECT span.resource_id, piece.during, span.deployment_id, span.tenant_id, span.active, span.size_gb, piece.sku
    FROM sku_pieces AS piece
    JOIN resource_spans AS span ON span.id = piece.span_id
    JOIN sku_pieces AS first_piece ON first_piece.span_id = piece.span_id AND first_piece.is_first
    WHERE NOT piece.is_first AND first_piece.sku IS NOT NULL
"""


def fill_skus(apps, schema_editor):
    """Give each span the sku that history tells of, a batch of resources in a transaction; may be repeated."""
    last = 0
    while last is not None:
        with transaction.atomic(using=schema_editor.connection.alias):
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(NEXT, {"last": last, "size": BATCH})
                pks, last = cursor.fetchone()
                if pks:
                    cursor.execute("DROP TABLE IF EXISTS sku_pieces")  # of a batch in the same transaction
                    cursor.execute(PIECES, {"pks": pks})
                    cursor.execute(SHORTEN)
                    cursor.execute(ADD)


class Migration(migrations.Migration):
    """In batches, each in a transaction of its own: syncs must not wait for a whole fleet."""

    atomic = False

    dependencies = [("inventory", "0015_keep_the_sku_of_spans")]

    operations = [migrations.RunPython(fill_skus, migrations.RunPython.noop, elidable=True)]
