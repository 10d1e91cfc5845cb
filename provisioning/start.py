"""The start of a saga: inputs checked, subjects taken, the row written, a worker nudged."""

import re
import secrets
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import IntegrityError, connection, transaction

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.queue.wake import wake
from arcadia_cloud.kernel.sql import fetch_one, load
from provisioning import registry
from provisioning.contract import Inputs, Workflow
from provisioning.errors import KeyReused, SubjectBusy
from provisioning.models import SagaRun, SagaSubject
from provisioning.queue import ADVANCE_DUE_SAGAS, QUEUE
from provisioning.stored_json import as_stored_json

_LONGEST_KEY: Final = 300
_UNSTORABLE: Final = "a character that can't be stored (NUL or a lone surrogate)"
_SKIPPED_NUMBERS: Final = 1_000_000
_NONCE_BYTES: Final = 8
_INSERT_SAGA: Final = load(__package__, "insert_saga.sql")
_NAMED_FIELD: Final = re.compile(r"(?:missing required|unknown) field `(?P<name>[^`]*)`")


def start_saga(
    *,
    kind: str,
    inputs: Mapping[str, Any],
    actor: str,
    idempotency_key: str | None = None,
    retry_of: int | None = None,
    run_by_caller: bool = False,
    context: Mapping[str, Any] | None = None,
) -> SagaRun:
    """Write a new saga, and nudge a worker once the transaction commits.

    `context` is what the saga's steps find there from the beginning.

    `run_by_caller`: the caller advances it itself, and no worker is nudged; should the caller die before,
    the sweep finds the saga.

    The same key returns the same saga, whatever has become of it, and writes nothing. Raises InvalidInput
    for an unknown kind or inputs that break its schema, KeyReused for a key of another kind or other
    inputs, SubjectBusy while another saga works on the same thing, and what the inputs' `check` raises.
    """
    workflow = registry.workflow_of(kind)
    if workflow is None:
        known = ", ".join(registry.workflows())
        raise InvalidInput(f"there is no workflow {kind!r}", errors={"kind": [f"must be one of: {known}"]})
    parsed, stored_inputs = _parse(workflow, inputs)
    if idempotency_key is not None:
        _check_key(idempotency_key)
        # Before `check`: a repeat must return its saga even where the inputs couldn't be started any more.
        if repeated := SagaRun.objects.filter(idempotency_key=idempotency_key).first():
            return _require_same(repeated, kind, stored_inputs)
    parsed.check()
    saga = _build(workflow, parsed, stored_inputs)
    saga.requested_by, saga.idempotency_key, saga.retry_of_id = actor, idempotency_key, retry_of
    saga.context = dict(context or {})
    # The unique key decides, not the look above: two starts at once may both have found none.
    if not _insert(saga):
        return _require_same(SagaRun.objects.get(idempotency_key=idempotency_key), kind, stored_inputs)
    if not run_by_caller:
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


def _parse(workflow: Workflow, inputs: Mapping[str, Any]) -> tuple[Inputs, dict[str, Any]]:
    """Return the inputs as the workflow's own type, and as they are stored. Raises InvalidInput."""
    try:
        parsed = msgspec.convert(inputs, workflow.inputs)
    except msgspec.ValidationError as error:
        raise _as_invalid_input(str(error)) from error
    try:
        return parsed, as_stored_json(msgspec.to_builtins(parsed))
    except ValueError as error:
        raise InvalidInput(f"the inputs hold {_UNSTORABLE}", errors={"inputs": [_UNSTORABLE]}) from error


def _as_invalid_input(message: str) -> InvalidInput:
    """Name the field of msgspec's message: "Expected `int`, got `str` - at `$.size`", or the field in it."""
    rule, _, path = message.partition(" - at `$")
    named = _NAMED_FIELD.search(rule)
    places = [path.rstrip("`").strip("."), named["name"] if named else ""]
    field = ".".join(["inputs", *(place for place in places if place)])
    return InvalidInput(f"{field}: {rule}", errors={field: [rule]})


def _check_key(key: str) -> None:
    if not 0 < len(key) <= _LONGEST_KEY:
        rule = f"must have 1 to {_LONGEST_KEY} characters"
        raise InvalidInput(f"idempotency_key {rule}", errors={"idempotency_key": [rule]})
    try:
        as_stored_json({"idempotency_key": key})
    except ValueError as error:
        message = f"idempotency_key holds {_UNSTORABLE}"
        raise InvalidInput(message, errors={"idempotency_key": [_UNSTORABLE]}) from error


def _require_same(saga: SagaRun, kind: str, inputs: Mapping[str, Any]) -> SagaRun:
    if (saga.kind, saga.inputs) != (kind, inputs):
        raise KeyReused(f"this idempotency key started saga {saga.pk}, of another kind or with other inputs")
    return saga


def _build(workflow: Workflow, inputs: Inputs, stored_inputs: dict[str, Any]) -> SagaRun:
    steps = list(inputs.steps())
    unknown = [name for name in steps if registry.step_named(name) is None]
    if unknown or not steps:
        raise ValueError(
            f"workflow {workflow.kind!r} names no step, or steps that aren't registered: {unknown}"
        )
    owner = inputs.owner()
    return SagaRun(
        kind=workflow.kind,
        step_modules=steps,
        inputs=stored_inputs,
        subjects=sorted(set(inputs.subjects())),  # in one order, or two starts could deadlock
        tenant_id=owner.tenant_id,
        deployment_id=owner.deployment_id,
        nonce=secrets.token_hex(_NONCE_BYTES),
    )


@dataclass(frozen=True, slots=True)
class _InsertedSaga:
    id: int
    created_at: datetime


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
    }
    try:
        # One statement needs no transaction of its own; inside the caller's, a refusal must not end that.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            inserted = fetch_one(_INSERT_SAGA, parameters, into=_InsertedSaga, prepared=True)
    except IntegrityError as error:
        # Any other constraint is a bug here, not a busy subject.
        if "saga_subjects" not in str(error):
            raise
        raise _subject_busy(saga.subjects) from error
    if inserted is None:
        return False
    saga.pk, saga.created_at = inserted.id, inserted.created_at
    saga._state.adding, saga._state.db = False, connection.alias  # noqa: SLF001 - as the ORM's own insert
    return True


def _subject_busy(subjects: list[str]) -> SubjectBusy:
    taken = SagaSubject.objects.filter(subject__in=subjects).order_by("subject").first()
    if taken is None:  # its saga ended between the refusal and this look
        return SubjectBusy(f"another saga was working on one of {', '.join(subjects)}; try again")
    return SubjectBusy(f"saga {taken.saga_id} is working on {taken.subject}")
