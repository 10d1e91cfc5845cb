"""The column of a kind, for rows whose kind is text: taxes and what is of no kind are among them."""

from typing import Protocol

from arcadia_cloud.kernel.console.theme import display
from inventory.values import kind_label


class OfKind(Protocol):
    """A row with a kind."""

    kind: str


class KindColumn:
    """Adds the column of a row's kind by its label."""

    @display(description="kind")
    def kind_name(self, row: OfKind) -> str:
        return kind_label(row.kind)
