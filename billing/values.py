"""The values that billing passes around: billed lines, how they were matched, and costs by day."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import TextChoices

# Choices of the console's invoice filters, which links from other pages name.
UNRECONCILED_CHOICE: Final = "unreconciled"
UNPUSHED_CHOICE: Final = "unpushed"

CENT: Final = Decimal("0.01")  # a smaller difference between sums is the rounding of lines
DECIMAL_PLACES: Final = 10  # of an amount and of hours, as billed; what is finer is refused, never rounded
MAX_DIGITS: Final = 24

TAX: Final = "tax"
OTHER: Final = "other"


def is_storable(amount: Decimal) -> bool:
    """Return whether a column of amounts holds it exactly."""
    exponent = amount.normalize().as_tuple().exponent
    is_fine = isinstance(exponent, int) and -exponent <= DECIMAL_PLACES
    return is_fine and amount.adjusted() < MAX_DIGITS - DECIMAL_PLACES


class Match(TextChoices):
    """The way in which a line was matched: by the id that came with it, by its name alone, or by lifetime."""

    ID = "id"
    UNIQUE = "unique"
    LIFETIME = "lifetime"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


MATCHED: Final = (Match.ID, Match.UNIQUE, Match.LIFETIME)


class BilledLine(NamedTuple):
    """One row of an invoice's CSV. `number` counts rows of data from 1; instants are aware."""

    number: int
    product: str
    group_description: str
    description: str
    hours: Decimal | None
    started_at: datetime
    ended_at: datetime
    amount: Decimal
    project_name: str
    category: str


class CostSource(TextChoices):
    """The sources of a day's costs, the best first: invoices, the provider's estimate, list prices."""

    BILLED = "billed"
    REPORTED = "reported"
    ACCRUED = "accrued"


class CostPart(TextChoices):
    """The part of the invoices that a day's cost belongs to."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    TAX = "tax"
    ADJUSTMENTS = "adjustments"


class AuditSeverity(TextChoices):
    """The severities of the audit's rules. Red: money is lost or wrong now, and an alert is raised."""

    RED = "red"
    YELLOW = "yellow"


class PriceUnit(TextChoices):
    """The units of a price: one of them, or a GiB of it, for a month."""

    MONTH = "month", "each, a month"
    GIB_MONTH = "gib_month", "GiB, a month"


class AnomalyDirection(TextChoices):
    """The direction in which a cost left what was expected."""

    UP = "up"
    DOWN = "down"


class AnomalyEnd(TextChoices):
    """The reasons for which an anomaly ended by itself; empty while it is open or dismissed."""

    HELD = "held", "the level held for seven days"
    FELL_BACK = "fell_back", "the cost fell back"
    ANOTHER_LEVEL = "another_level", "another level began"
    OPEN = "", "not ended"


class CausePart(TextChoices):
    """The causes of a part of a difference in cost."""

    CREATED = "created"
    RESIZED = "resized"
    RESTORED = "restored"
    GAINED = "gained"
    LOST = "lost"
    GONE = "gone"
    CHANGED = "changed"
    PRICE = "price"
    UNMATCHED_LINES = "unmatched_lines"
    ADJUSTMENTS = "adjustments"
    OTHERS = "others"
    REST = "rest"
