"""What belongs to what, where the list of a kind doesn't tell it."""

from collections.abc import Mapping

from django.db import connection

from inventory.values import PROVIDER, Kind

_BACKUPS = """
    SELECT backup_id, resource.provider_id
    FROM cloud_resources AS resource
    CROSS JOIN LATERAL jsonb_array_elements_text(resource.attrs -> 'backup_ids') AS backup_id
    WHERE resource.provider = %s AND resource.kind = %s AND resource.deleted_at IS NULL
"""


def droplets_of_backups() -> Mapping[str, str]:
    """`{image's id: droplet's id}`, as the droplets tell it: a backup itself doesn't name its droplet."""
    with connection.cursor() as cursor:
        cursor.execute(_BACKUPS, [PROVIDER, str(Kind.DROPLET)])
        return dict(cursor.fetchall())
