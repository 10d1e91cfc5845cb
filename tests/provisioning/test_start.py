"""Starting: what is refused, what is repeated, and one live saga per subject."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from arcadia_cloud.kernel.errors import DomainError, InvalidInput
from provisioning.engine.runner import run
from provisioning.errors import KeyReused, SubjectBusy
from provisioning.models import SagaRun, SagaSubject
from provisioning.services import start_saga
from provisioning.states import AdvanceOutcome
from tests.kernel.threads import at_once
from tests.provisioning.conftest import Scripts
from tests.provisioning.sagas import run_to_end, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("kind", "inputs", "field", "rule"),
    [
        ("teleport", {}, "kind", "must be one of: echo"),
        ("echo", {}, "inputs.message", "Is required."),
        ("echo", {"message": 1}, "inputs.message", "Must be text."),
        ("echo", {"message": "a", "times": 0}, "inputs.times", "Must be at least 1."),
        ("echo", {"message": "a", "loudly": True}, "inputs.loudly", "There is no such field."),
        ("echo", [], "inputs", "Must be an object."),
        ("echo", {"message": "a\0b"}, "inputs", "can't be stored"),
        ("echo", {"message": "a\ud800b"}, "inputs", "can't be stored"),
    ],
)
def test_bad_input_names_the_field_and_the_rule_and_starts_nothing(
    kind: str, inputs: Any, field: str, rule: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        start_saga(kind=kind, inputs=inputs, actor="a test")
    (name, rules), *others = refused.value.errors.items()
    assert (name, others) == (field, [])
    assert rule in rules[0]
    assert not SagaRun.objects.exists()


@pytest.mark.parametrize("key", ["", "k" * 301])
def test_a_key_has_a_length(key: str) -> None:
    with pytest.raises(InvalidInput, match="must have 1 to 300 characters"):
        start(message="a", key=key)


@pytest.mark.parametrize("key", ["a\0b", "a\udcff"])
def test_a_key_has_characters_that_can_be_stored(key: str) -> None:
    with pytest.raises(InvalidInput, match="can't be stored"):
        start(message="a", key=key)


def test_words_that_only_look_like_a_nul_are_stored() -> None:
    saga = run_to_end(start(message=r"a\u0000b"))
    assert (saga.status, saga.context["echoed_at_step_2"]) == ("completed", r"a\u0000b")


def test_defaults_are_stored_with_the_inputs() -> None:
    saga = start(message="a")
    saga.refresh_from_db()
    assert saga.inputs == {"message": "a", "times": 3, "then_fail": False}


def test_the_same_key_returns_the_same_saga_in_whatever_state() -> None:
    first = start(message="a", key="k")
    assert start(message="a", key="k").pk == first.pk
    run(first.pk)
    again = start(message="a", key="k", times=3)
    assert (again.pk, again.status) == (first.pk, "completed")
    assert SagaRun.objects.count() == 1


def test_the_same_key_with_other_inputs_is_refused() -> None:
    saga = start(message="a", key="k")
    with pytest.raises(KeyReused, match=f"started saga {saga.pk}, of another kind or with other inputs"):
        start(message="b", key="k")


def test_two_at_once_with_one_key_are_one_saga() -> None:
    for number in range(20):
        both = at_once(2, lambda key=f"k{number}": start(message="a", key=key).pk)  # type: ignore[misc]
        assert both[0] == both[1]
    assert SagaRun.objects.count() == 20


def outcome(scripts: Scripts, *subjects: str) -> str:
    try:
        scripts("act", subjects=subjects)
    except DomainError as refusal:
        return refusal.code
    return "started"


def test_two_at_once_on_one_subject_are_one_saga(scripts: Scripts) -> None:
    for number in range(20):
        subjects = [f"droplet:{number}", f"dns:{number}"]
        both = at_once(2, lambda named=subjects: outcome(scripts, *named))  # type: ignore[misc]
        assert sorted(both) == ["saga_subject_busy", "started"]
    assert (SagaRun.objects.count(), SagaSubject.objects.count()) == (20, 40)


def test_a_taken_subject_is_refused_with_the_saga_that_has_it(
    scripts: Scripts,
) -> None:
    first = scripts("act", subjects=["droplet:1", "droplet:2"])
    with pytest.raises(SubjectBusy, match=f"saga {first.pk} is working on droplet:2"):
        scripts("act", subjects=["droplet:2", "droplet:3"])
    assert SagaRun.objects.count() == 1
    assert set(SagaSubject.objects.values_list("subject", "saga_id")) == {
        ("droplet:1", first.pk),
        ("droplet:2", first.pk),
    }


@pytest.mark.parametrize("word", ["ok", "fail"])
def test_a_subject_is_free_again_when_its_saga_is_done(scripts: Scripts, word: str) -> None:
    run_to_end(scripts("act", "act", subjects=["droplet:1"], do_1=[word]))
    assert run_to_end(scripts("act", subjects=["droplet:1"])).status == "completed"
    saga = SagaRun.objects.order_by("pk").first()
    assert saga is not None
    assert saga.subjects == ["droplet:1"], "history keeps it"


def test_a_refusal_leaves_the_callers_transaction_alive(scripts: Scripts) -> None:
    scripts("act", subjects=["droplet:1"])
    with transaction.atomic():
        with pytest.raises(SubjectBusy):
            scripts("act", subjects=["droplet:1"])
        kept = start(message="a")
    assert SagaRun.objects.filter(pk=kept.pk).exists()


def test_a_saga_that_is_rolled_back_with_its_transaction_never_was() -> None:
    def start_and_fail() -> None:
        with transaction.atomic():
            start(message="a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start_and_fail()
    assert not SagaRun.objects.exists()


def test_the_database_itself_refuses_a_second_holder_of_a_subject(scripts: Scripts) -> None:
    scripts("act", subjects=["droplet:1"])
    other = scripts("act")
    with pytest.raises(IntegrityError), transaction.atomic():
        SagaSubject.objects.bulk_create([SagaSubject(subject="droplet:1", saga=other)])


def test_a_workflow_that_names_an_unknown_step_starts_nothing(scripts: Scripts) -> None:
    with pytest.raises(ValueError, match="steps that aren't registered: \\['no such step'\\]"):
        scripts("act", "no such step")
    assert not SagaRun.objects.exists()


def test_the_new_row_is_as_the_database_has_it() -> None:
    saga = start(message="a", key="k")
    stored = SagaRun.objects.get(pk=saga.pk)
    names = [field.attname for field in SagaRun._meta.concrete_fields if field.attname != "nudged_at"]
    assert {name: getattr(saga, name) for name in names} == {name: getattr(stored, name) for name in names}
    assert run(saga.pk) == AdvanceOutcome.COMPLETED
