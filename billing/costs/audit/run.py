"""A run of the audit: every rule over one snapshot of the book, its findings stored, red ones an alert.

The number of queries is that of the rules, whatever they find.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from django.db.models import Value
from django.db.models.functions import Greatest, Now

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.database import snapshot
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from billing.costs.audit.rules import RULES, AuditRule
from billing.models import AuditFinding, AuditRun
from billing.values import AuditSeverity

log = structlog.get_logger(__name__)

ALERT: Final = "money_audit"
SUBJECT: Final = "audit"  # of alerts, before the rule's code
_STORE: Final = load(__package__, "store_findings.sql")
_LEASE: Final = "money audit"
_WAIT_SECONDS: Final = 60
# A day's usage is recorded at 01:10: until then it isn't missing.
_METERED_AFTER: Final = timedelta(hours=2)
_NAMED: Final = 3


class Fault(NamedTuple):
    """A place in the book where a rule doesn't hold: what must be there, and what is."""

    subject_kind: str
    subject_key: str
    link: str
    expected: str
    actual: str

    @property
    def subject(self) -> str:
        """Return its name, by which a later run knows it again."""
        return f"{self.subject_kind}:{self.subject_key}"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The faults of one rule, and how many of them are new, known, and gone since the last run."""

    rule: AuditRule
    faults: tuple[Fault, ...]
    opened: int
    seen: int
    closed: int


class _Changes(NamedTuple):
    opened: int
    seen: int
    closed: int


def find_faults(rule: AuditRule, *, at: datetime) -> list[Fault]:
    """Return where the rule doesn't hold, in the book as it is. One query."""
    settled = (at - _METERED_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)
    parameters: dict[str, Any] = {"settled_until": settled} if rule.statement.parameters else {}
    # In order, so that the first few, which alerts and the command name, are the same each time.
    return sorted(fetch_all(rule.statement, parameters, into=Fault))


def run_audit(*, at: datetime, actor: str) -> list[RuleResult]:
    """Judge the whole book by every rule; store what was found, and raise or resolve the alerts of red rules.

    `at` is now, in UTC. All rules see the same moment. Raises LeaseHeld where another run goes on after a
    minute. Must not be called inside a transaction.
    """
    with lease(_LEASE, wait_seconds=_WAIT_SECONDS):
        # One moment for all rules: between two of them a resource may change hands.
        with snapshot():
            results = [_apply(rule, at=at) for rule in RULES]
            counts = {
                str(severity): sum(len(each.faults) for each in results if each.rule.severity == severity)
                for severity in AuditSeverity
            }
            # What a rule of an earlier version found is looked for no more.
            outdated = AuditFinding.objects.filter(closed_at=None).exclude(
                rule__in=[each.code for each in RULES]
            )
            outdated.update(closed_at=Greatest("last_seen_at", Value(at)))
            AuditRun.objects.create(
                started_at=at,
                finished_at=Now(),
                requested_by=actor,
                opened=sum(each.opened for each in results),
                closed=sum(each.closed for each in results),
                **counts,
            )
        # After the commit: an alert must not name what a rollback took back.
        for result in results:
            _update_alert(result, actor=actor)
    log.info("money_audited", **counts, opened=sum(each.opened for each in results))
    return results


def _apply(rule: AuditRule, *, at: datetime) -> RuleResult:
    faults = find_faults(rule, at=at)
    found = [
        {"subject": each.subject, "link": each.link, "expected": each.expected, "actual": each.actual}
        for each in faults
    ]
    parameters = {"rule": rule.code, "found": msgspec.json.encode(found).decode(), "at": at}
    changes = fetch_one(_STORE, parameters, into=_Changes)
    if changes is None:
        raise RuntimeError("store_findings.sql returned no row")
    return RuleResult(rule, tuple(faults), **changes._asdict())


def _update_alert(result: RuleResult, *, actor: str) -> None:
    rule = result.rule
    if rule.severity != AuditSeverity.RED:
        return
    subject = f"{SUBJECT}:{rule.code}"
    if not result.faults:
        resolve_alert(code=ALERT, subject=subject, actor=actor)
        return
    named = "; ".join(f"{each.subject}: {each.actual}" for each in result.faults[:_NAMED])
    more = f"; and {len(result.faults) - _NAMED} more" if len(result.faults) > _NAMED else ""
    raise_alert(
        code=ALERT,
        subject=subject,
        severity=Alert.Severity.CRITICAL,
        message=f"{rule.title}: {len(result.faults)}. {named}{more}",
        details={"rule": rule.code, "found": len(result.faults), "opened": result.opened},
    )
