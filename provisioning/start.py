"""The start of a saga: inputs checked, subjects taken, the row written, a worker nudged."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog
from django.db import IntegrityError, connection, transaction

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from arcadia_cloud.kernel.queue.wake import wake
from arcadia_cloud.kernel.sql import fetch_one, load
from arcadia_cloud.kernel.struct_errors import field_and_rule
from provisioning import registry
from provisioning.contract import PARTS, Inputs, Workflow, split_step
from provisioning.errors import KeyReused, SubjectBusy
from provisioning.models import SagaRun, SagaSubject
from provisioning.provider_offer import check_against_offer
from provisioning.queue import ADVANCE_DUE_SAGAS, QUEUE
from provisioning.stored_json import as_stored_json

log = structlog.get_logger(__name__)
UNCHECKED: Final = "unchecked"  # in the context: what couldn't be checked before the start
_LONGEST_KEY: Final = 300
_UNSTORABLE: Final = "a character that can't be stored (NUL or a lone surrogate)"
_SKIPPED_NUMBERS: Final = 1_000_000
_NONCE_BYTES: Final = 8
_INSERT_SAGA: Final = load(__package__, "insert_saga.sql")


def start_saga(
    *,
    kind: str,
    inputs: Mapping[str, Any],
    actor: str,
    idempotency_key: str | None = None,
    retry_of: int | None = None,
    run_by_caller: bool = False,
    context: Mapping[str, Any] | None = None,
    start_at: datetime | None = None,
    not_after: datetime | None = None,
) -> SagaRun:
    """Write a new saga, and nudge a worker once the transaction commits.

    `context` is what the saga's steps find there from the beginning.

    `run_by_caller`: the caller advances it itself, and no worker is nudged; should the caller die before,
    the sweep finds the saga.

    `start_at`: it waits until then, and is checked again when it begins. `not_after`: one that couldn't
    begin by then is rolled back, nothing done.

    The same key returns the same saga, whatever has become of it, and writes nothing. Raises InvalidInput
    for an unknown kind or inputs that break its schema, KeyReused for a key of another kind or other
    inputs, SubjectBusy while another saga works on the same thing, and what the inputs' `check` and
    `check_against_offer` raise.
    """
    workflow, parsed, stored_inputs = parse_inputs(kind, inputs)
    saga = SagaRun(kind=kind, inputs=stored_inputs, start_at=start_at, not_after=not_after)
    if idempotency_key is not None:
        _check_key(idempotency_key)
        # Before `check`: a repeat must return its saga even where the inputs couldn't be started any more.
        if repeated := SagaRun.objects.filter(idempotency_key=idempotency_key).first():
            return _require_same(repeated, saga)
    if start_at is not None and not_after is not None and not_after <= start_at:
        rule = "must be later than start_at"
        raise InvalidInput(f"not_after {rule}", errors={"not_after": [rule]})
    saga.context = dict(context or {})
    if unchecked := check_inputs(parsed):
        saga.context[UNCHECKED] = unchecked
        log.warning("saga_start_unchecked", kind=kind, unchecked=unchecked)
    resolve_steps(saga, workflow, parsed)
    saga.requested_by, saga.idempotency_key, saga.retry_of_id = actor, idempotency_key, retry_of
    # Of the operating system's randomness: who could guess it could have a machine adopted or destroyed.
    saga.nonce = secrets.token_hex(_NONCE_BYTES)
    # The unique key decides, not the look above: two starts at once may both have found none.
    if not _insert(saga):
        return _require_same(SagaRun.objects.get(idempotency_key=idempotency_key), saga)
    # The one line with both: a request's lines don't know the saga, a worker's don't know the request.
    log.info("saga_created", saga=saga.pk, kind=kind, tenant=saga.tenant_id)
    if not run_by_caller and not saga.is_scheduled:
        wake(ADVANCE_DUE_SAGAS, queue=QUEUE)
    return saga


def skip_saga_numbers() -> None:
    """Give the next sagas numbers that none can have had which a restored database doesn't know.

    Its nonce keeps a saga from what another of its number made; the numbers are skipped for who reads them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(numbers::regclass, nextval(numbers::regclass) + %s)"
            " FROM pg_get_serial_sequence('saga_runs', 'id') AS numbers",
            [_SKIPPED_NUMBERS],
        )


def parse_inputs(kind: str, inputs: Mapping[str, Any]) -> tuple[Workflow, Inputs, dict[str, Any]]:
    """Return the workflow, the inputs as its own type, and as they are stored. Raises InvalidInput."""
    workflow = registry.workflow_of(kind)
    if workflow is None:
        known = ", ".join(registry.workflows())
        raise InvalidInput(f"there is no workflow {kind!r}", errors={"kind": [f"must be one of: {known}"]})
    try:
        parsed = msgspec.convert(inputs, workflow.inputs)
    except msgspec.ValidationError as error:
        field, rule = field_and_rule(error, workflow.inputs, root="inputs")
        raise InvalidInput(f"{field}: {rule}", errors={field: [rule]}) from error
    try:
        # As parsed, not as given: defaults are stored too, and stay when a later build has others.
        return workflow, parsed, as_stored_json(msgspec.to_builtins(parsed))
    except ValueError as error:
        raise InvalidInput(f"the inputs hold {_UNSTORABLE}", errors={"inputs": [_UNSTORABLE]}) from error


def _check_key(key: str) -> None:
    if not 0 < len(key) <= _LONGEST_KEY:
        rule = f"must have 1 to {_LONGEST_KEY} characters"
        raise InvalidInput(f"idempotency_key {rule}", errors={"idempotency_key": [rule]})
    try:
        as_stored_json({"idempotency_key": key})
    except ValueError as error:
        message = f"idempotency_key holds {_UNSTORABLE}"
        raise InvalidInput(message, errors={"idempotency_key": [_UNSTORABLE]}) from error


def _require_same(saga: SagaRun, wanted: SagaRun) -> SagaRun:
    fields = ("kind", "inputs", "start_at", "not_after")
    if any(getattr(saga, field) != getattr(wanted, field) for field in fields):
        raise KeyReused(
            f"this idempotency key started saga {saga.pk}, of another kind or with other inputs or times"
        )
    return saga


def check_inputs(inputs: Inputs) -> str:
    """Refuse inputs that can't be started now; return what couldn't be checked, "" where all was."""
    inputs.check()
    return check_against_offer(inputs)


def resolve_steps(saga: SagaRun, workflow: Workflow, inputs: Inputs) -> None:
    """Set the saga's steps, subjects and owner, as its inputs have them now."""
    steps, parts = list(inputs.steps()), inputs.parts()
    unknown = [name for name in steps if registry.step_named(name) is None]
    if unknown or not steps:
        raise ValueError(
            f"workflow {workflow.kind!r} names no step, or steps that aren't registered: {unknown}"
        )
    # Read one after the other: what the saga works on may have lost a part in between.
    if missing := {part for _, part in map(split_step, steps) if part} - set(parts):
        raise Conflict(
            f"what it works on has changed at this moment ({', '.join(sorted(missing))}); try again"
        )
    resolved = {**inputs.initial_context(), **({PARTS: dict(parts)} if parts else {})}
    saga.context |= as_stored_json(resolved)
    owner = inputs.owner()
    saga.step_modules = steps
    saga.subjects = sorted(set(inputs.subjects()))  # in one order, or two starts could deadlock
    saga.tenant_id, saga.deployment_id = owner.tenant_id, owner.deployment_id


@dataclass(frozen=True, slots=True)
class _InsertedSaga:
    id: int
    created_at: datetime
    begun_at: datetime | None
    wake_at: datetime | None


def _insert(saga: SagaRun) -> bool:
    """Write it and take its subjects; False when its key was taken a moment ago. Raises SubjectBusy."""
    parameters = {
        "kind": saga.kind,
        "steps": saga.step_modules,
        "inputs": msgspec.json.encode(saga.inputs).decode(),
        "subjects": saga.subjects,
        "idempotency_key": saga.idempotency_key,
        "requested_by": saga.requested_by,
        "tenant_id": saga.tenant_id,
        "deployment_id": saga.deployment_id,
        "retry_of": saga.retry_of_id,
        "nonce": saga.nonce,
        "context": msgspec.json.encode(saga.context).decode(),
        "start_at": saga.start_at,
        "not_after": saga.not_after,
    }
    with refuse_busy_subjects(saga.subjects):
        inserted = fetch_one(_INSERT_SAGA, parameters, into=_InsertedSaga, prepared=True)
    if inserted is None:
        return False
    saga.pk, saga.created_at = inserted.id, inserted.created_at
    saga.begun_at, saga.wake_at = inserted.begun_at, inserted.wake_at
    saga._state.adding, saga._state.db = False, connection.alias  # noqa: SLF001 - as the ORM's own insert
    return True


@contextmanager
def refuse_busy_subjects(subjects: Sequence[str]) -> Iterator[None]:
    """Raise SubjectBusy where the statement of the block took a subject that another live saga holds."""
    try:
        # One statement needs no transaction of its own; inside the caller's, a refusal must not end that.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            yield
    except IntegrityError as error:
        # Any other constraint is a bug here, not a busy subject.
        if "saga_subjects" not in str(error):
            raise
        taken = SagaSubject.objects.filter(subject__in=subjects).order_by("subject").first()
        if taken is None:  # its saga ended between the refusal and this look
            named = ", ".join(subjects)
            raise SubjectBusy(f"another saga was working on one of {named}; try again") from error
        raise SubjectBusy(f"saga {taken.saga_id} is working on {taken.subject}") from error
