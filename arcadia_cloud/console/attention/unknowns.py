"""The unknowns of the home page, and when they end, by the schedule as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from django.http import HttpRequest
from django.urls import reverse

from arcadia_cloud.console.attention.concern import Button
from arcadia_cloud.kernel.processes import Processes
from arcadia_cloud.kernel.queue.schedule.next_run import NextRun, describe_next_run, next_runs
from billing.models import AuditRun
from billing.queries import BillingSummary
from billing.services import AUDIT_TASK, BALANCE_TASK, COSTS_TASK, HISTORY_TASK
from inventory.queries import SyncAge
from inventory.values import RunMode, kind_label

_SYNC: Final = "inventory.sync"
_TASKS: Final = (_SYNC, BALANCE_TASK, HISTORY_TASK, COSTS_TASK, AUDIT_TASK)
_BILLING: Final = "cloud_billing"
_KINDS_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Unknown:
    """A thing that isn't known yet, when it will be, and the button that makes it known."""

    text: str
    when: str
    button: Button | None


class Horizon:
    """When things will be known. One query, of the schedule."""

    def __init__(self, runs: Sequence[NextRun], processes: Processes, *, at: datetime) -> None:
        self._at = at
        self._runs = runs
        self._processes = processes

    @classmethod
    def load(cls, processes: Processes, *, at: datetime) -> Self:
        """Read the schedule."""
        return cls(next_runs(_TASKS, at=at), processes, at=at)

    def describe(self, task: str, queue: str, mode: str = "") -> str:
        """Return when a task runs next; while no beat or worker runs for it, that it waits for them."""
        words = describe_next_run(self._runs, task, at=self._at, mode=mode)
        if not words.startswith("next"):
            return words
        needed = ["beat"] if not self._processes.beats else []
        needed += ["a worker"] if queue in self._processes.unserved else []
        # The schedule's time is no promise while nobody is there to keep it.
        return (
            f"{words}, if {' and '.join(needed)} run{'' if len(needed) > 1 else 's'} by then"
            if needed
            else words
        )

    def of_audit(self) -> str:
        """Return when the money audit runs next."""
        return self.describe(AUDIT_TASK, _BILLING)

    def of_balance(self) -> str:
        """Return when the balance is read next."""
        return self.describe(BALANCE_TASK, _BILLING)

    def unknown_kinds(self, ages: Sequence[SyncAge], request: HttpRequest) -> list[Unknown]:
        """Return the kinds that were never read and of which no run has failed."""
        found: list[Unknown] = []
        may = request.user.has_perm("inventory.add_syncrun")
        for mode in (RunMode.FULL, RunMode.SLOW):
            never = [
                age
                for age in ages
                if age.mode == mode and age.is_stale and age.completed_at is None and not age.has_failed
            ]
            if not never:
                continue
            names = [kind_label(age.kind) for age in never]
            rest = f" and {len(names) - _KINDS_NAMED} more" if len(names) > _KINDS_NAMED else ""
            sync = reverse("admin:inventory_syncrun_sync_now")
            button = Button("sync-now", "Sync now", "sync", sync) if may and not found else None
            text = f"Never read: {', '.join(names[:_KINDS_NAMED])}{rest}"
            found.append(Unknown(text, self.describe(_SYNC, f"cloud_sync_{mode}", str(mode)), button))
        return found

    def unknown_money(
        self,
        billing: BillingSummary,
        audit: AuditRun | None,
        request: HttpRequest,
        *,
        has_costs: bool,
        is_failing: bool,
    ) -> list[Unknown]:
        """Return what isn't known of money. A reading that fails has an entry among what needs a hand."""
        read = reverse("admin:billing_providerinvoice_read_now")
        may_read = request.user.has_perm("billing.change_providerinvoice")
        read_now = Button("read-bills", "Read now", "receipt_long", read) if may_read else None
        audit_now = reverse("admin:billing_auditfinding_audit_now")
        may_audit = request.user.has_perm("billing.add_auditrun")
        rows: tuple[tuple[bool, str, str, Button | None], ...] = (
            (billing.balance is None and not is_failing, "No balance was read yet", BALANCE_TASK, None),
            (not billing.known and not is_failing, "No invoice was read yet", HISTORY_TASK, read_now),
            (not has_costs, "No day's costs are computed yet", COSTS_TASK, None),
            (
                audit is None,
                "The money audit has not run yet",
                AUDIT_TASK,
                Button("audit-now", "Run now", "fact_check", audit_now) if may_audit else None,
            ),
        )
        return [
            Unknown(text, self.describe(task, _BILLING), button)
            for is_so, text, task, button in rows
            if is_so
        ]
