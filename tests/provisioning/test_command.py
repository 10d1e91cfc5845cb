"""manage.py saga."""

import io

import pytest
import redis
from django.core.management import CommandError, call_command

from provisioning.models import SagaRun
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import run_to_end, start

pytestmark = pytest.mark.django_db(transaction=True)


def saga_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("saga", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_starts_lists_shows_and_acts(scripts: Scripts) -> None:
    words = saga_command("start", "echo", "--inputs", '{"message": "hello"}', "--idempotency-key", "k")
    saga = SagaRun.objects.get()
    assert words == f"Saga {saga.pk} (echo) is pending.\n"
    assert f"Saga {saga.pk} (echo) is pending." in saga_command("requeue", str(saga.pk))
    run_to_end(saga)
    assert "completed" in saga_command("list", "--status", "completed", "--kind", "echo")
    shown = saga_command("show", str(saga.pk))
    assert '"echoed_at_step_2": "hello"' in shown
    assert shown.count("echo") > 3
    other = scripts("act")
    assert f"Saga {other.pk} (scripted) is rolled_back." in saga_command("cancel", str(other.pk))
    assert "(scripted) is pending." in saga_command("retry", str(other.pk))
    assert "paused by manage.py saga: a storm" in saga_command("pause", "--reason", "a storm")
    assert "paused by" in saga_command("list")
    assert saga_command("unpause") == "Sagas go on.\n"


def test_the_command_runs_a_saga_here_and_wakes_no_worker(
    patient_broker: None, valkey_client: redis.Redis
) -> None:
    words = saga_command("start", "echo", "--here", "--inputs", '{"message": "hello", "then_fail": true}')
    saga = SagaRun.objects.get()
    assert words == f"Saga {saga.pk} (echo) is rolled_back.\n"
    assert valkey_client.llen("provisioning") == 0


def test_the_command_shows_words_in_brackets_as_they_are() -> None:
    saga = start(message="[/b] and [redacted]", times=1)
    run_to_end(saga)
    assert saga_command("show", str(saga.pk)).count("[/b] and [redacted]") == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["start", "teleport"], r"there is no workflow 'teleport' \(kind: must be one of: echo"),
        (["start", "echo"], "inputs.message: .*Is required"),
        (["start", "echo", "--inputs", "{"], "--inputs is not JSON"),
        (["show", "999999"], "there is no saga 999999"),
        (["cancel", "999999"], "there is no saga 999999"),
        (["list", "--limit", "0"], "--limit must be from 1 to 1000"),
        (["list", "--status", "lost"], "invalid choice: 'lost'"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
    ],
)
def test_the_command_refuses_with_words(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        saga_command(*arguments)
