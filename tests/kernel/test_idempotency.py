"""A repeated POST: one effect, and the first answer again."""

import functools
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from arcadia_cloud.kernel import idempotency
from arcadia_cloud.kernel.idempotency import KeyInUse, KeyReused, StoredResponse, respond_once
from arcadia_cloud.kernel.models import Alert, IdempotencyKey
from arcadia_cloud.kernel.retention import delete_expired_responses
from arcadia_cloud.kernel.tasks import forget_expired_keys
from tests.access import bearer, token_of
from tests.kernel.threads import at_once, in_thread

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.kernel.probes")]
with_threads = pytest.mark.django_db(transaction=True)
ORDERS = "/api/v1/probe/orders"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def post(
    body: dict[str, Any],
    *,
    key: str | None = "k-1",
    tenant: str = "acme",
    subject: str = "user-1",
    path: str = ORDERS,
) -> Any:
    client = Client(
        headers=bearer(token_of("member", tenant=tenant, subject=subject)), raise_request_exception=False
    )
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def effects() -> int:
    return Alert.objects.filter(code="order").count()


def test_a_repeat_gets_the_first_answer_again_and_does_nothing() -> None:
    first = post({"n": 1})
    again = post({"n": 1})
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["Location"] == again.headers["Location"]
    assert first.headers["Content-Type"] == again.headers["Content-Type"] == "application/json"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert effects() == 1


def test_the_same_body_written_otherwise_is_the_same_body() -> None:
    client = Client(headers={**bearer(token_of("member", tenant="acme")), "Idempotency-Key": "k"})
    first = client.post(ORDERS, b'{"a": 1, "b": 2}', content_type="application/json")
    again = client.post(ORDERS, b'{ "b":2,"a":1 }', content_type="application/json")
    assert first.content == again.content
    assert effects() == 1


def test_another_body_under_the_same_key_is_refused() -> None:
    post({"n": 1})
    refused = post({"n": 2})
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("idempotency_key_reused")
    assert effects() == 1


def test_a_key_belongs_to_tenant_subject_and_address() -> None:
    post({"n": 1})
    post({"n": 1}, tenant="other")
    post({"n": 1}, subject="user-2")
    post({"n": 1}, key="k-2")
    assert effects() == 4
    assert len({key.scope for key in IdempotencyKey.objects.all()}) == 3


def test_without_a_key_every_request_counts() -> None:
    post({}, key=None)
    post({}, key=None)
    assert effects() == 2
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a b", "tab\t"])
def test_a_wrong_key_is_named(key: str) -> None:
    refused = post({}, key=key)
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["Idempotency-Key"]
    assert effects() == 0


@pytest.mark.parametrize("then", ["conflict", "invalid", "answers 422"])
def test_a_refusal_is_undone_and_given_again(then: str) -> None:
    first = post({"then": then})
    again = post({"then": then})
    assert first.status_code in {400, 409, 422}
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert effects() == 0


@pytest.mark.parametrize(("then", "status"), [("crash", 500), ("database", 503), ("answers 500", 500)])
def test_an_error_of_ours_is_undone_and_forgotten(then: str, status: int) -> None:
    assert post({"then": then}).status_code == status
    assert effects() == 0
    assert not IdempotencyKey.objects.exists()
    assert post({}).status_code == 201


@with_threads
def test_two_at_once_have_one_effect_and_one_answer() -> None:
    for round_number in range(5):
        answers = at_once(4, functools.partial(post, {"n": 1}, key=f"race-{round_number}"))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
    assert effects() == 5


@with_threads
def test_the_second_waits_for_the_first_and_takes_over_when_it_fails() -> None:
    began = threading.Event()

    def slow_failure() -> StoredResponse:
        began.set()
        time.sleep(0.5)
        raise ZeroDivisionError

    def first() -> None:
        with pytest.raises(ZeroDivisionError):
            once(effect=slow_failure)

    thread = in_thread(first)
    began.wait()
    assert once(effect=lambda: StoredResponse(201, "second")) == (StoredResponse(201, "second"), False)
    thread.join()


@with_threads
def test_the_second_is_told_when_the_first_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "_WAIT_MILLISECONDS", 200)
    began, may_end = threading.Event(), threading.Event()

    def slow() -> StoredResponse:
        began.set()
        may_end.wait(10)
        return StoredResponse(201, "first")

    thread = in_thread(lambda: once(effect=slow))
    began.wait()
    with pytest.raises(KeyInUse):
        once(effect=lambda: StoredResponse(201, "second"))
    may_end.set()
    thread.join()
    assert once(effect=lambda: StoredResponse(201, "third")) == (StoredResponse(201, "first"), True)


def test_the_wait_for_a_key_leaves_the_effects_own_patience_alone() -> None:
    def lock_timeout() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return str(cursor.fetchone()[0])

    seen: list[str] = []

    def effect() -> StoredResponse:
        seen.append(lock_timeout())
        return StoredResponse(200, "")

    before = lock_timeout()
    once(effect=effect)
    assert seen == [before]


def test_an_answer_is_kept_for_a_day() -> None:
    once(effect=lambda: StoredResponse(201, "first"), at=NOON)
    day = timedelta(hours=24)
    assert once(effect=lambda: StoredResponse(201, "second"), at=NOON + day) == (
        StoredResponse(201, "first"),
        True,
    )
    late = NOON + day + timedelta(microseconds=1)
    assert once(effect=lambda: StoredResponse(201, "second"), at=late, fingerprint="g") == (
        StoredResponse(201, "second"),
        False,
    )
    with pytest.raises(KeyReused):
        once(effect=lambda: StoredResponse(201, "third"), at=late)
    assert IdempotencyKey.objects.count() == 1


def test_the_sweep_forgets_what_is_older_than_a_day() -> None:
    for hours in (0, 23, 24, 25, 48):
        once(effect=lambda: StoredResponse(201, ""), at=NOON - timedelta(hours=hours), key=f"k-{hours}")
    assert delete_expired_responses(at=NOON) == 2
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"k-0", "k-23", "k-24"}
    assert delete_expired_responses(at=NOON) == 0
    assert forget_expired_keys()["forgotten"] in {0, 3}


def once(
    *, effect: Any, at: datetime = NOON, key: str = "k", fingerprint: str = "f"
) -> tuple[StoredResponse, bool]:
    return respond_once(scope="s", key=key, fingerprint=fingerprint, at=at, effect=effect)
