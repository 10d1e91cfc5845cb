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


class InvalidUsage(InvalidInput):
    """Events that are wrong by themselves, whatever came before; nothing of their batch is stored."""

    code = "invalid_usage"


class UsageRefused(Conflict):
    """Events that don't follow what their source has sent before; nothing of their batch is stored."""

    code = "usage_refused"


class InvalidBandwidthSource(InvalidInput):
    """A source of bandwidth that can't begin on that day."""

    code = "invalid_bandwidth_source"
