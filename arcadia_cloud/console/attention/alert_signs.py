"""The signs that open alerts are, with the causes that they share."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from arcadia_cloud.console.attention.addresses import SubjectAddresses, list_address
from arcadia_cloud.console.attention.concern import Cause, Sign
from arcadia_cloud.console.attention.provider_faults import provider_fault
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.processes import NO_WORKER
from drift.alerts import NEW_DRIFT
from inventory.values import RunOutcome, kind_label
from provisioning.queries import COMPENSATION_FAILED, DEAD_LETTER, LEFT_OFF
from provisioning.states import SagaStatus

# What rows tell by the second, alerts tell a minute late: `state_signs` has these.
_SHOWN_BY_ROWS: Final = frozenset({NO_WORKER, NEW_DRIFT})
_OF_BILLING: Final = frozenset({"invoice", "audit", "cost_anomaly", "billing"})
_SYNC: Final = re.compile(r"^Sync of [^:]+: ")
_SAGA: Final = re.compile(r"^Saga \d+ ")
_WEIGHTS: Final = {LEFT_OFF: 3, COMPENSATION_FAILED: 2, DEAD_LETTER: 1}
# The kind of a subject, what it is counted as, and the list of those that share a cause.
_NOUNS: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "kind": ("kind", "admin:inventory_syncrun_changelist", {"outcome": RunOutcome.FAILED}),
    "saga": ("saga", "admin:provisioning_sagarun_changelist", {"status": SagaStatus.FAILED}),
    "invoice": ("invoice", "admin:billing_providerinvoice_changelist", {}),
    "bucket": ("bucket", "admin:inventory_resource_changelist", {"kind": "spaces_bucket"}),
    "deployment": ("deployment", "admin:deployments_deployment_changelist", {}),
    "billing": ("billing call", "admin:billing_providerinvoice_changelist", {}),
    "token": ("token", "", {}),
}


def signs_of_alerts(
    alerts: Sequence[Alert], addresses: SubjectAddresses, *, with_billing: bool
) -> list[Sign]:
    """Return a sign for each of these alerts, but for those of billing where the user may not see it."""
    # A droplet that a saga left off and the saga's own alert are one matter.
    left_off = {saga for alert in alerts if (saga := _saga_that_left_off(alert))}
    counts = Counter(alert.subject for alert in alerts)
    # Several alerts of one thing, as of a saga that could neither go on nor go back, are one matter as well.
    whole = left_off | {subject for subject, count in counts.items() if count > 1}
    signs = []
    for alert in alerts:
        kind, _, name = alert.subject.partition(":")
        if alert.code in _SHOWN_BY_ROWS or (kind in _OF_BILLING and not with_billing):
            continue
        fault = "" if kind == "saga" else provider_fault(alert.message)
        noun, page, query = _NOUNS.get(kind, ("", "", {}))
        signs.append(
            Sign(
                cause=_cause_of(alert, fault, whole),
                severity=alert.severity,
                # Shorter where the provider's words are known: whole ones are in the log.
                sentence=f"Sync of {kind_label(name)} fails: {fault}"
                if fault and kind == "kind"
                else alert.message,
                href=addresses.find(alert),
                about=fault or _SAGA.sub("", _SYNC.sub("", alert.message)),
                noun=noun,
                name=alert.subject,
                list_href=list_address(page, **query) if page else "",
                since=alert.raised_at,
                owner=alert.owner,
                weight=_WEIGHTS.get(alert.code, 0),
            )
        )
    return signs


def subjects_with(alerts: Iterable[Alert], code: str) -> set[str]:
    """Return what the alerts of a code are about."""
    return {alert.subject for alert in alerts if alert.code == code}


def _saga_that_left_off(alert: Alert) -> str:
    return f"saga:{alert.details.get('saga')}" if alert.code == LEFT_OFF else ""


def _cause_of(alert: Alert, fault: str, whole: Collection[str]) -> Cause:
    """Return the key of an alert's cause; `whole` are subjects that make one cause."""
    if fault:
        return ("provider", fault)
    subject = _saga_that_left_off(alert) or alert.subject
    if subject in whole:
        return ("subject", subject)
    # Sagas that end at one step for one reason have one cause, and so have kinds with the same words.
    words = _SAGA.sub("", _SYNC.sub("", alert.message))
    return (alert.code, words.replace(alert.subject.partition(":")[2], "…"))
