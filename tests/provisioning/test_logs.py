"""The log lines of sagas: each names its own saga and tenant, and an ended saga leaves a line."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from provisioning.engine.runner import run, run_due
from provisioning.models import SagaRun
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import run_to_end, start

pytestmark = pytest.mark.django_db(transaction=True)
OF_THE_REQUEST = {"request_id": "of an earlier request", "tenant": "globex", "user_id": 7, "task_id": "t1"}


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """The lines, with what is bound when each is logged."""
    with capture_logs(processors=[merge_contextvars]) as entries:
        bind_contextvars(**OF_THE_REQUEST)
        yield entries
        clear_contextvars()


def test_sagas_of_one_wake_have_each_its_own_names_in_the_log(
    scripts: Scripts, lines: list[MutableMapping[str, Any]]
) -> None:
    first, second = scripts("act", do_0=["bug"]), scripts("act", do_0=["bug"])
    SagaRun.objects.filter(pk=first.pk).update(tenant_id="acme")
    assert run_due(seconds=60) == 2
    bound = {
        line["saga"]: (line.get("tenant"), line.get("request_id"), line.get("user_id"), line.get("task_id"))
        for line in lines
        if line["event"] == "step_failed"
    }
    assert bound == {first.pk: ("acme", None, None, "t1"), second.pk: (None, None, None, "t1")}
    assert get_contextvars() == OF_THE_REQUEST, "what was bound before is bound again"


@pytest.mark.parametrize(("fails", "outcome"), [(False, "completed"), (True, "rolled_back")])
def test_an_ended_saga_leaves_a_line(
    lines: list[MutableMapping[str, Any]], fails: bool, outcome: str
) -> None:
    saga = start(message="hello", then_fail=fails)
    run(saga.pk)
    (line,) = [line for line in lines if line["event"] == "saga_ended"]
    assert (line["saga"], line["kind"], line["outcome"]) == (saga.pk, "echo", outcome)


def test_a_saga_that_waits_leaves_no_such_line(
    scripts: Scripts, lines: list[MutableMapping[str, Any]]
) -> None:
    run(scripts("act", do_0=["wait=3600"]).pk)
    assert "saga_ended" not in [line["event"] for line in lines]


@pytest.mark.parametrize(
    ("steps", "script", "error"),
    [
        (("act", "retried"), {"do:1": ["retry"] * 5}, "RetryableError: not yet"),
        (("act", "timed"), {"do:1": ["wait=0.1"] * 1000}, "OutOfTime: not done within"),
    ],
    ids=["retries", "deadline"],
)
def test_a_step_that_is_given_up_after_its_last_try_is_logged_with_its_cause(
    scripts: Scripts, steps: tuple[str, ...], script: dict[str, list[str]], error: str
) -> None:
    with capture_logs() as lines:
        saga = run_to_end(scripts.of(steps, script))
    (line,) = (line for line in lines if line["event"] == "step_failed")
    assert (line["saga"], line["step_idx"]) == (saga.pk, 1)
    assert line["error"].startswith(error)
