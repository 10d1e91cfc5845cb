"""How a saga begins: inputs checked, subjects taken, the row written, a worker nudged."""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import msgspec
from django.db import IntegrityError, connection, transaction

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.queue.wake import wake
from provisioning import registry
from provisioning.contract import Inputs, Workflow
from provisioning.engine.step_state import as_stored_json
from provisioning.engine.suspension import QUEUE, WALK_DUE
from provisioning.errors import KeyReused, SubjectBusy
from provisioning.models import SagaRun, SagaSubject
from provisioning.statements import one_row, statement

_LONGEST_KEY = 300
_UNSTORABLE = "a character that can't be stored (NUL or a lone surrogate)"
_SKIPPED_NUMBERS = 1_000_000
_START = statement("start.sql")
_NAMED_FIELD = re.compile(r"(?:missing required|unknown) field `(?P<name>[^`]*)`")


def start_saga(
    *,
    kind: str,
    inputs: Mapping[str, Any],
    requested_by: str,
    idempotency_key: str | None = None,
    retry_of: int | None = None,
    walked_here: bool = False,
) -> SagaRun:
    """Write a new saga, and nudge a worker once the transaction commits.

    `walked_here`: the caller walks it itself, and no worker is nudged; should the caller die before, the
    sweep finds the saga.

    The same key returns the same saga, whatever has become of it, and writes nothing. Raises InvalidInput
    for an unknown kind or inputs that break its schema, KeyReused for a key of another kind or other
    inputs, SubjectBusy while another saga works on the same thing, and what the workflow's `check` raises.
    """
    workflow, parsed = _parsed(kind, inputs)
    kept_inputs = _kept(parsed)
    if idempotency_key is not None:
        _check_key(idempotency_key)
        if repeated := SagaRun.objects.filter(idempotency_key=idempotency_key).first():
            return _same(repeated, kind, kept_inputs)
    workflow.check(parsed)
    saga = _new(workflow, parsed, kept_inputs)
    saga.requested_by, saga.idempotency_key, saga.retry_of_id = requested_by, idempotency_key, retry_of
    if not _inserted(saga):
        return _same(SagaRun.objects.get(idempotency_key=idempotency_key), kind, kept_inputs)
    if not walked_here:
        wake(WALK_DUE, queue=QUEUE)
    return saga


def skip_numbers() -> None:
    """Give the next sagas numbers that none can have had which a restored database doesn't know.

    A saga's number marks what it makes at the provider: a repeated one would take another saga's for its own.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(numbers::regclass, nextval(numbers::regclass) + %s)"
            " FROM pg_get_serial_sequence('saga_runs', 'id') AS numbers",
            [_SKIPPED_NUMBERS],
        )


def _parsed(kind: str, inputs: Mapping[str, Any]) -> tuple[Workflow, Inputs]:
    workflow = registry.workflow_of(kind)
    if workflow is None:
        known = ", ".join(registry.workflows())
        raise InvalidInput(f"there is no workflow {kind!r}", errors={"kind": [f"must be one of: {known}"]})
    try:
        return workflow, msgspec.convert(inputs, workflow.inputs)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error


def _kept(parsed: Inputs) -> dict[str, Any]:
    try:
        return as_stored_json(msgspec.to_builtins(parsed))
    except ValueError as error:
        raise InvalidInput(f"the inputs hold {_UNSTORABLE}", errors={"inputs": [_UNSTORABLE]}) from error


def _refused(words: str) -> InvalidInput:
    """As msgspec tells it: "Expected `int`, got `str` - at `$.size`", or with the field named in it."""
    rule, _, path = words.partition(" - at `$")
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
        words = f"idempotency_key holds {_UNSTORABLE}"
        raise InvalidInput(words, errors={"idempotency_key": [_UNSTORABLE]}) from error


def _same(saga: SagaRun, kind: str, inputs: Mapping[str, Any]) -> SagaRun:
    if (saga.kind, saga.inputs) != (kind, inputs):
        raise KeyReused(f"this idempotency key started saga {saga.pk}, of another kind or with other inputs")
    return saga


def _new(workflow: Workflow, parsed: Inputs, kept_inputs: dict[str, Any]) -> SagaRun:
    steps = list(workflow.steps(parsed))
    unknown = [name for name in steps if registry.step_named(name) is None]
    if unknown or not steps:
        raise ValueError(
            f"workflow {workflow.kind!r} names no step, or steps that aren't registered: {unknown}"
        )
    owner = workflow.ownership(parsed)
    return SagaRun(
        kind=workflow.kind,
        step_modules=steps,
        inputs=kept_inputs,
        subjects=sorted(set(workflow.subjects(parsed))),  # in one order, or two starts could deadlock
        tenant_id=owner.tenant_id,
        deployment_id=owner.deployment_id,
    )


def _inserted(saga: SagaRun) -> bool:
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
    }
    try:
        # One statement needs no transaction of its own; inside the caller's, a refusal must not end that.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            row = one_row(_START, parameters)
    except IntegrityError as error:
        if "saga_subjects" not in str(error):
            raise
        raise _busy(saga.subjects) from error
    if row is None:
        return False
    saga.pk, saga.created_at = row
    saga._state.adding, saga._state.db = False, connection.alias  # noqa: SLF001 - as the ORM's own insert
    return True


def _busy(subjects: list[str]) -> SubjectBusy:
    taken = SagaSubject.objects.filter(subject__in=subjects).order_by("subject").first()
    if taken is None:  # its saga ended between the refusal and this look
        return SubjectBusy(f"another saga was working on one of {', '.join(subjects)}; try again")
    return SubjectBusy(f"saga {taken.saga_id} is working on {taken.subject}")
