"""The matching of invoice lines to resources: when they are stored, and again when inventory learns of more.

The rule stands once, in `sql/match_lines.sql`.
"""

from collections.abc import Collection
from typing import Final

from arcadia_cloud.kernel.queue.nudge import nudge
from arcadia_cloud.kernel.sql import execute, load
from inventory.values import PROVIDER, Kind

_INSERT: Final = load(__package__, "insert_matched_lines.sql")
_REMATCH: Final = load(__package__, "rematch_lines.sql")


def insert_matched_lines(invoice_pk: int) -> None:
    """Store the staged lines of an invoice, each with its resource; see `ingest.stage`."""
    execute(_INSERT, {"invoice": invoice_pk, "provider": PROVIDER})


def rematch(*, kinds: Collection[str] = tuple(Kind.values)) -> int:
    """Match the unmatched lines of these kinds again, in one statement; return how many changed."""
    return execute(_REMATCH, {"kinds": list(kinds), "provider": PROVIDER})


def request_rematch(kind: str) -> None:
    """Ask a worker to match the lines of a kind again, now that inventory knows more of it."""
    nudge("billing.match_again", queue="cloud_billing", kinds=[kind])
