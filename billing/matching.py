"""Lines that matched nothing are tried again when inventory learns of resources."""

from collections.abc import Collection
from typing import Final

from django.db import connection

from arcadia_cloud.kernel.queue.nudge import nudge
from billing.statements import statement
from inventory.values import PROVIDER, Kind

_MATCH_AGAIN: Final = statement("rematch_lines.sql")


def rematch(*, kinds: Collection[str] = tuple(Kind.values)) -> int:
    """Match the unmatched lines of these kinds anew, in one statement; return how many changed."""
    with connection.cursor() as cursor:
        cursor.execute(_MATCH_AGAIN, {"kinds": list(kinds), "provider": PROVIDER})
        return int(cursor.rowcount)


def request_match(kind: str) -> None:
    """Ask a worker to try the lines of a kind again, now that inventory knows more of it."""
    nudge("billing.match_again", queue="cloud_billing", kinds=[kind])
