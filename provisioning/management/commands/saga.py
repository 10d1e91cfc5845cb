"""manage.py saga: list and show sagas, start, cancel, requeue and retry them."""

import json
import sys
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from arcadia_cloud.kernel.errors import DomainError
from provisioning import registry, services
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.queries import list_steps, pause_state, saga_by_id
from provisioning.states import SagaStatus

_ACTOR = "manage.py saga"
_WIDTH_OF_A_FILE = 160
_MOST_LISTED = 1000
_SAGA = ("id", "kind", "status", "step", "subjects", "requested by", "created", "error")
_LEDGER = ("idx", "step", "status", "attempts", "undos", "began", "finished", "output", "error")


class Command(BaseCommand):
    help = "List, show, start, cancel, requeue and retry sagas; pause and unpause them all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="the newest sagas")
        listing.add_argument("--status", choices=SagaStatus.values)
        listing.add_argument("--kind")
        listing.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (20)")
        starting = actions.add_parser("start", help="start a saga")
        starting.add_argument("kind", help=f"one of: {', '.join(registry.workflows())}")
        starting.add_argument("--inputs", default="{}", metavar="JSON", help="a JSON object")
        starting.add_argument("--idempotency-key", metavar="KEY", help="the same key starts the same saga")
        starting.add_argument(
            "--here",
            action="store_true",
            help="advance it in this process as far as it goes, without a worker",
        )
        for name, words in {
            "show": "a saga and its ledger",
            "cancel": "undo what it did so far",
            "requeue": "nudge the workers for it once more",
            "retry": "let a dead letter go on; start a rolled-back saga again",
        }.items():
            actions.add_parser(name, help=words).add_argument("saga_id", type=int)
        pausing = actions.add_parser(
            "pause", help="let no saga start, and running ones stop at their next step"
        )
        pausing.add_argument("--reason", default="", help="why, for the other operators")
        actions.add_parser("unpause", help="let sagas go on")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        width = None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
        self.console = Console(file=cast("IO[str]", self.stdout), width=width, markup=False)
        try:
            getattr(self, f"_{action}")(**options)
        except DomainError as refusal:
            fields = "; ".join(f"{name}: {', '.join(rules)}" for name, rules in refusal.errors.items())
            raise CommandError(f"{refusal.detail} ({fields})" if fields else refusal.detail) from refusal

    def _list(self, *, status: str | None, kind: str | None, limit: int, **_options: Any) -> None:
        if not 0 < limit <= _MOST_LISTED:
            raise CommandError(f"--limit must be from 1 to {_MOST_LISTED}")
        sagas = SagaRun.objects.order_by("-pk")
        if status:
            sagas = sagas.filter(status=status)
        if kind:
            sagas = sagas.filter(kind=kind)
        table = Table(*_SAGA)
        for saga in sagas[:limit]:
            table.add_row(*_row(saga))
        self.console.print(table)
        self._print_pause()

    def _show(self, *, saga_id: int, **_options: Any) -> None:
        saga = saga_by_id(saga_id)
        facts = Table(*_SAGA)
        facts.add_row(*_row(saga))
        self.console.print(facts)
        for name in ("inputs", "context"):
            self.console.print(f"{name}: {json.dumps(getattr(saga, name))}", markup=False, highlight=False)
        ledger = Table(*_LEDGER)
        for step in list_steps(saga_id):
            ledger.add_row(
                str(step.step_idx),
                step.name,
                step.status,
                str(step.attempts),
                str(step.compensation_attempts),
                f"{step.started_at:%H:%M:%S}",
                f"{step.finished_at:%H:%M:%S}" if step.finished_at else "",
                json.dumps(step.output) if step.output else "",
                json.dumps(step.error) if step.error else "",
            )
        self.console.print(ledger)
        self._print_pause()

    def _start(
        self, *, kind: str, inputs: str, idempotency_key: str | None, here: bool, **_options: Any
    ) -> None:
        try:
            parsed = json.loads(inputs)
        except ValueError as error:
            raise CommandError(f"--inputs is not JSON: {error}") from error
        saga = services.start_saga(
            kind=kind,
            inputs=parsed,
            actor=_ACTOR,
            idempotency_key=idempotency_key,
            run_by_caller=here,
        )
        if here:
            run(saga.pk)
            saga.refresh_from_db()
        self._print_status(saga)

    def _cancel(self, *, saga_id: int, **_options: Any) -> None:
        self._print_status(services.cancel_saga(saga_id=saga_id, actor=_ACTOR))

    def _requeue(self, *, saga_id: int, **_options: Any) -> None:
        self._print_status(services.requeue_saga(saga_id=saga_id))

    def _retry(self, *, saga_id: int, **_options: Any) -> None:
        self._print_status(services.retry_saga(saga_id=saga_id, actor=_ACTOR))

    def _pause(self, *, reason: str, **_options: Any) -> None:
        services.pause(actor=_ACTOR, reason=reason)
        self._print_pause()

    def _unpause(self, **_options: Any) -> None:
        services.unpause(actor=_ACTOR)
        self.stdout.write("Sagas go on.")

    def _print_status(self, saga: SagaRun) -> None:
        cancelling = ", to be cancelled" if saga.cancel_requested and saga.finished_at is None else ""
        self.stdout.write(f"Saga {saga.pk} ({saga.kind}) is {saga.status}{cancelling}.")
        self._print_pause()

    def _print_pause(self) -> None:
        state = pause_state()
        if state.paused:
            why = f": {state.reason}" if state.reason else ""
            self.stdout.write(f"Provisioning is paused by {state.changed_by}{why}.")


def _row(saga: SagaRun) -> tuple[str, ...]:
    at = min(saga.current_step_idx + 1, len(saga.step_modules))
    reason = (saga.error or {}).get("reason", "") or saga.wait_reason
    undone = f"; {saga.compensation_failures} not undone" if saga.compensation_failures else ""
    return (
        str(saga.pk),
        saga.kind,
        str(saga.status),
        f"{at}/{len(saga.step_modules)} {saga.step_modules[at - 1]}",
        ", ".join(saga.subjects),
        saga.requested_by,
        f"{saga.created_at:%Y-%m-%d %H:%M:%S}",
        f"{reason}{undone}",
    )
