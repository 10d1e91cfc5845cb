"""manage.py saga: list and show sagas, plan, start, begin, cancel, requeue and retry them."""

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.management.arguments import parse_instant_argument
from arcadia_cloud.kernel.money import format_change
from provisioning import registry, services
from provisioning.engine.runner import run
from provisioning.models import SagaRun
from provisioning.queries import list_steps, pause_state, plan_saga, saga_by_id
from provisioning.states import SagaStatus

_ACTOR = "manage.py saga"
_WIDTH_OF_A_FILE = 160
_MOST_LISTED = 1000
_SAGA = ("id", "kind", "status", "step", "subjects", "requested by", "created", "error")
_LEDGER = ("idx", "step", "status", "attempts", "undos", "began", "finished", "output", "error")


class Command(BaseCommand):
    help = "List, show, plan, start, begin, cancel, requeue and retry sagas; pause and unpause them all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="the newest sagas")
        listing.add_argument("--status", choices=SagaStatus.values)
        listing.add_argument("--kind")
        listing.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (20)")
        starting = actions.add_parser("start", help="start a saga")
        planning = actions.add_parser("plan", help="what a start would do, and what would hold it")
        for parser_of_inputs in (starting, planning):
            parser_of_inputs.add_argument("kind", help=f"one of: {', '.join(registry.workflows())}")
            parser_of_inputs.add_argument("--inputs", default="{}", metavar="JSON", help="a JSON object")
        for option, words in {
            "--at": "it waits until then; without an offset the time is UTC",
            "--not-after": "one that couldn't begin by then ends rolled back, nothing done",
        }.items():
            starting.add_argument(option, type=parse_instant_argument, metavar="TIME", help=words)
        starting.add_argument("--idempotency-key", metavar="KEY", help="the same key starts the same saga")
        starting.add_argument(
            "--here",
            action="store_true",
            help="advance it in this process as far as it goes, without a worker",
        )
        for name, words in {
            "show": "a saga and its ledger",
            "begin": "have a scheduled saga begin at once",
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

    def _plan(self, *, kind: str, inputs: str, **_options: Any) -> None:
        parsed = _json(inputs)
        services.refresh_offer(kind=kind)
        plan = plan_saga(kind=kind, inputs=parsed)
        effects = plan.effects
        price = "not known" if effects.price_change is None else format_change(effects.price_change)
        facts = {
            "works on": plan.subjects,
            "creates": effects.creates,
            "changes": effects.changes,
            "destroys": effects.destroys,
            "off": effects.powered_off,
            "a month": [f"{price}; {effects.price_note}".removesuffix("; ")],
            "held": [f"{brake.outcome}: {brake.message}" for brake in plan.brakes],
            "not checked": [plan.unchecked] if plan.unchecked else [],
        }
        for name, lines in facts.items():
            for line in lines:
                self.stdout.write(f"{name}: {line}")
        steps = Table("step", "does")
        for step in plan.steps:
            steps.add_row(step.name, step.description)
        self.console.print(steps)

    def _start(
        self,
        *,
        kind: str,
        inputs: str,
        idempotency_key: str | None,
        here: bool,
        at: datetime | None,
        not_after: datetime | None,
        **_options: Any,
    ) -> None:
        if here and at is not None:
            raise CommandError("--here and --at exclude each other: workers begin a scheduled saga")
        parsed = _json(inputs)
        services.refresh_offer(kind=kind)
        saga = services.start_saga(
            kind=kind,
            inputs=parsed,
            actor=_ACTOR,
            idempotency_key=idempotency_key,
            run_by_caller=here,
            start_at=at,
            not_after=not_after,
        )
        if here:
            run(saga.pk)
            saga.refresh_from_db()
        self._print_status(saga)

    def _begin(self, *, saga_id: int, **_options: Any) -> None:
        services.refresh_offer(kind=saga_by_id(saga_id).kind)
        self._print_status(services.begin_saga(saga_id=saga_id))

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
        more = ", to be cancelled" if saga.cancel_requested and saga.finished_at is None else ""
        if saga.is_scheduled:
            more = f", and begins at {saga.start_at:%Y-%m-%d %H:%M:%S} UTC"
        self.stdout.write(f"Saga {saga.pk} ({saga.kind}) is {saga.status}{more}.")
        self._print_pause()

    def _print_pause(self) -> None:
        state = pause_state()
        if state.paused:
            why = f": {state.reason}" if state.reason else ""
            self.stdout.write(f"Provisioning is paused by {state.changed_by}{why}.")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"--inputs is not JSON: {error}") from error


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
