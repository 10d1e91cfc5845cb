"""The values of costs by day."""

from django.db.models import TextChoices


class CostSource(TextChoices):
    """The sources of a day's costs, the best first: the invoice's lines, or spans at list prices."""

    BILLED = "billed"
    ACCRUED = "accrued"


class CostPart(TextChoices):
    """The part of the invoices that a day's cost belongs to."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    TAX = "tax"
    ADJUSTMENTS = "adjustments"


class PriceUnit(TextChoices):
    """The units of a price: one of them, or a GiB of it, for a month."""

    MONTH = "month", "each, a month"
    GIB_MONTH = "gib_month", "GiB, a month"
