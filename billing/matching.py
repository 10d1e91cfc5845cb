"""The matching of invoice lines to resources: when they are stored, and again when inventory learns of more.

The rule stands once, in `sql/match_lines.sql`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from arcadia_cloud.kernel.queue.nudge import nudge
from arcadia_cloud.kernel.sql import execute, fetch_all, load
from billing.costs.days import make_months_of_invoices_due
from inventory.values import PROVIDER, Kind

_INSERT: Final = load(__package__, "insert_matched_lines.sql")
_REMATCH: Final = load(__package__, "rematch_lines.sql")
# The kinds of lines that a kind of resource may have, where there are more than one, as in `match_lines.sql`.
_LINE_KINDS: Final[Mapping[str, tuple[str, ...]]] = {Kind.DROPLET: (Kind.DROPLET, Kind.DROPLET_BACKUP)}


@dataclass(frozen=True, slots=True)
class _RematchRow:
    changed: int
    invoices: list[int]


def insert_matched_lines(invoice_pk: int) -> None:
    """Store the staged lines of an invoice, each with its resource; see `ingest.stage`."""
    execute(_INSERT, {"invoice": invoice_pk, "provider": PROVIDER})


def rematch(*, kinds: Collection[str] = tuple(Kind.values)) -> int:
    """Match the unmatched lines about these kinds again, in one statement; return how many changed."""
    line_kinds = sorted({str(line_kind) for kind in kinds for line_kind in _LINE_KINDS.get(kind, (kind,))})
    # The months' costs become due with the lines that change them.
    with transaction.atomic():
        (found,) = fetch_all(_REMATCH, {"kinds": line_kinds, "provider": PROVIDER}, into=_RematchRow)
        if found.changed:
            make_months_of_invoices_due(found.invoices)
    return found.changed


def request_rematch(kind: str) -> None:
    """Ask a worker to match the lines of a kind again, now that inventory knows more of it."""
    nudge("billing.match_again", queue="cloud_billing", kinds=[kind])
