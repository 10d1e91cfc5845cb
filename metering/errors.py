"""Refusals of metering."""

from arcadia_cloud.kernel.errors import Conflict, InvalidInput


class PeriodNotOver(Conflict):
    """A day or an hour that isn't over: what it will have used isn't known."""

    code = "period_not_over"


class PeriodPruned(Conflict):
    """A day whose usage is older than any is kept."""

    code = "period_pruned"


class InvalidMeteringTerms(InvalidInput):
    """Terms that no kind may be metered by."""

    code = "invalid_metering_terms"
