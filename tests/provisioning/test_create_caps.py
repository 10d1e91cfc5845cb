"""The caps on creates."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from arcadia_cloud.kernel.models import Alert
from provisioning.contract import Wait
from provisioning.create_caps import reserve_create
from provisioning.models import SagaCreate, SagaRun
from tests.kernel.threads import at_once
from tests.provisioning.sagas import start

pytestmark = pytest.mark.django_db(transaction=True)


def reserve(saga: SagaRun, step_idx: int = 0, tenant: str | None = None) -> Wait | None:
    state: Any = SimpleNamespace(saga_id=saga.pk, step_idx=step_idx, tenant_id=tenant)
    return reserve_create(state)


def test_creates_are_capped_per_hour(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 2
    saga = start(message="hello")
    assert [reserve(saga, 0), reserve(saga, 1), reserve(saga, 0)] == [None, None, None]
    waiting = reserve(saga, 2)
    assert waiting is not None
    assert (waiting.seconds, waiting.reason) == (60, "2 creates within an hour, 2 allowed")
    alert = Alert.objects.get()
    assert (alert.code, alert.subject) == ("creates_capped", "creates:all")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE saga_creates SET at = at - interval '61 minutes' WHERE step_idx = 0")
    assert reserve(saga, 2) is None


def test_creates_are_capped_per_tenant(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_TENANT_PER_HOUR = 1
    saga = start(message="hello")
    assert reserve(saga, 0, "acme") is None
    waiting = reserve(saga, 1, "acme")
    assert waiting is not None
    assert waiting.reason == "1 creates for tenant acme within an hour, 1 allowed"
    assert Alert.objects.get().subject == "tenant:acme"
    assert [reserve(saga, 2, "globex"), reserve(saga, 3), reserve(saga, 4)] == [None, None, None]


def test_many_at_once_never_pass_the_cap(settings: Settings) -> None:
    settings.ARCADIA_CREATES_PER_HOUR = 3
    sagas = [start(message="hello") for _ in range(6)]
    waiting = iter(sagas)
    results = at_once(6, lambda: reserve(next(waiting)))
    assert sum(result is None for result in results) == 3
    assert SagaCreate.objects.count() == 3
