"""A line of an invoice, and its form as an item of the API."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from simulator.catalog import Json
from simulator.clock import format_time

TAXES: Final = "Taxes"


@dataclass(frozen=True, slots=True)
class Line:
    """One charge, in cents. Hours are whole, None for a charge without them. `end` is as printed."""

    product: str
    description: str
    start: datetime
    end: datetime
    cents: int
    hours: int | None = None
    group: str = ""
    project: str = ""
    category: str = "iaas"
    resource_id: str = ""
    resource_uuid: str = ""

    def replace_cents(self, cents: int) -> "Line":
        return replace(self, cents=cents)

    def render(self) -> Json:
        """Render the line as an item of the API, without the fields that have no value."""
        body: Json = {
            "product": self.product,
            "resource_uuid": self.resource_uuid,
            "resource_id": self.resource_id,
            "group_description": self.group,
            "description": self.description,
            "amount": format_dollars(self.cents),
            "duration": "" if self.hours is None else str(self.hours),
            "duration_unit": "" if self.hours is None else "Hours",
            "start_time": format_time(self.start),
            "end_time": format_time(self.end),
            "project_name": self.project,
            "category": self.category,
        }
        return {name: value for name, value in body.items() if value != ""}


def format_dollars(cents: int) -> str:
    """Format an amount as the API does: `-1779.55`."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
