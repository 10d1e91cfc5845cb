"""The rules of the audit, as data. Each is one statement that finds its faults in the whole book."""

from dataclasses import dataclass
from typing import Final

from arcadia_cloud.kernel.sql import Statement, load
from billing.values import AuditSeverity


@dataclass(frozen=True, slots=True)
class AuditRule:
    """A rule: what must hold of the book, why it matters, and the statement that finds where it doesn't.

    The statement returns `subject_kind`, `subject_key`, `link`, `expected` and `actual`; `link` names the
    page that shows the subject, as `resource:12`, and is empty where there is none.
    """

    code: str
    severity: AuditSeverity
    title: str
    explanation: str
    statement: Statement


def _rule(code: str, severity: AuditSeverity, title: str, explanation: str) -> AuditRule:
    return AuditRule(code, severity, title, explanation, load(__package__, f"{code}.sql"))


RULES: Final = (
    _rule(
        "resource_without_subscription",
        AuditSeverity.RED,
        "A live resource is paid for by nobody",
        "It belongs to a deployment without a live subscription: it costs, and earns nothing. Subscribe the "
        "deployment, offboard it, or assign the resource to its true owner.",
    ),
    _rule(
        "subscription_of_archived",
        AuditSeverity.RED,
        "An archived deployment is subscribed",
        "Its fees are quoted although nothing of it is left. Cancel the subscription.",
    ),
    _rule(
        "day_not_metered",
        AuditSeverity.RED,
        "A day is not metered",
        "Its usage is in no quote. `manage.py meter_day` meters what was missed.",
    ),
    _rule(
        "usage_outside_life",
        AuditSeverity.RED,
        "Usage is recorded of a resource that didn't live",
        "A tenant is charged for what it didn't have. Meter the days again; bandwidth was measured before "
        "the resource's end was known.",
    ),
    _rule(
        "billed_days_differ",
        AuditSeverity.RED,
        "A month's billed days don't sum to its invoices",
        "Every report of costs by day is wrong by the difference. Read the month's invoices again: its days "
        "are then computed anew.",
    ),
    _rule(
        "lines_differ",
        AuditSeverity.RED,
        "An invoice's lines don't come to its total",
        "Lines are missing, or too many. Read the invoice again from its page.",
    ),
    _rule(
        "line_outside_life",
        AuditSeverity.YELLOW,
        "A cost line is matched to a resource that didn't live then",
        "The cost is another resource's, of the same name most likely, and stands with the wrong owner.",
    ),
    _rule(
        "spans_overlap",
        AuditSeverity.RED,
        "A resource has two spans at one time",
        "Its hours are metered twice.",
    ),
    _rule(
        "spans_gap",
        AuditSeverity.YELLOW,
        "A resource lived in a time without a span",
        "That time is metered for nobody. A full sync of its kind begins a span where it lives.",
    ),
    _rule(
        "span_after_end",
        AuditSeverity.RED,
        "A resource that is gone has a span that lasts",
        "It is metered and charged on.",
    ),
    _rule(
        "desired_without_resource",
        AuditSeverity.YELLOW,
        "What is desired is gone",
        "The resource was removed outside a saga: provision it again, or drop what is desired of it (drift).",
    ),
    _rule(
        "subject_without_saga",
        AuditSeverity.YELLOW,
        "A saga that ended still holds its subject",
        "No other saga can work on it, so that what costs money can't be removed.",
    ),
)
_BY_CODE: Final = {rule.code: rule for rule in RULES}


def find_rule(code: str) -> AuditRule | None:
    """Return the rule; None for one of an earlier version, whose closed findings are kept."""
    return _BY_CODE.get(code)


def codes_of(severity: AuditSeverity) -> list[str]:
    """Return the codes of the rules of this severity."""
    return [rule.code for rule in RULES if rule.severity == severity]
