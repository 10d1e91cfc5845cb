"""The stub of the finance service keeps the contract."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from simulator.finance.app import DEFAULT_SECRET, serve
from simulator.finance.invoice_store import InvoiceStore
from tests.simulator.test_process import ROOT

PATH = "/api/v1/integrations/cloud/import-invoice"
BODY = {
    "tenant_id": "platform-admin",
    "source": "digitalocean",
    "external_id": "u-1",
    "vendor": {"name": "DigitalOcean", "category": "cloud"},
    "number": "1",
    "currency": "USD",
    "period_start": "2026-04-01",
    "period_end": "2026-05-01",
    "issued_on": "2026-05-01",
    "amount_net_minor": 100,
    "amount_tax_minor": 10,
    "amount_gross_minor": 110,
    "line_count": 2,
}
GONE = ...


@pytest.fixture
def url() -> Iterator[str]:
    with serve() as url:
        yield url


def token(key: str = DEFAULT_SECRET, algorithm: str = "HS512", **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "aud": "finance", "sub": "arcadia-cloud", "typ": "access", "iat": now, "exp": now + 300,
        "tenant_id": "platform-admin", "roles": ["admin"],
    }  # fmt: skip
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not GONE}
    return jwt.encode(kept, key, algorithm=algorithm)


def push(url: str, body: Any = None, *, bearer: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token() if bearer is None else bearer}"}
    return requests.post(url + PATH, json=BODY if body is None else body, headers=headers, timeout=20)


def rows(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{url}/_control/invoices", timeout=20).json()["invoices"]
    return found


def test_an_invoice_is_created_then_updated_in_one_row(url: str) -> None:
    first, second = push(url), push(url, {**BODY, "line_count": 3})
    assert (first.status_code, first.json()["action"]) == (201, "created")
    assert (second.status_code, second.json()["action"]) == (200, "updated")
    assert first.json()["invoice_id"] == second.json()["invoice_id"]
    (row,) = rows(url)
    assert row == {"invoice_id": first.json()["invoice_id"], "times": 2, **BODY, "line_count": 3}


@pytest.mark.parametrize("changed", [{"tenant_id": "other"}, {"source": "other"}, {"external_id": "u-2"}])
def test_tenant_source_and_id_together_are_the_key(url: str, changed: dict[str, str]) -> None:
    push(url)
    bearer = token(tenant_id=changed.get("tenant_id", "platform-admin"))
    assert push(url, {**BODY, **changed}, bearer=bearer).json()["action"] == "created"
    assert len(rows(url)) == 2


def test_many_at_once_leave_one_row_and_one_creation(url: str) -> None:
    actions: list[str] = []
    threads = [threading.Thread(target=lambda: actions.append(push(url).json()["action"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(actions) == ["created", *["updated"] * 7]
    assert [row["times"] for row in rows(url)] == [8]


@pytest.mark.parametrize(
    "bearer",
    [
        "",
        "nonsense",
        token(key="another" * 12),
        token(aud="arcadia"),
        token(aud=GONE),
        token(exp=1),
        token(exp=GONE),
        token(iat=GONE),
        token(sub=GONE),
        token(typ="refresh"),
        token(nbf=4102444800),
        jwt.encode({"aud": "finance"}, "", algorithm="none"),
    ],
)
def test_without_a_valid_token_nothing_is_taken(url: str, bearer: str) -> None:
    assert push(url, bearer=bearer).status_code == 401
    assert rows(url) == []


@pytest.mark.parametrize("roles", [[], ["reader"], "admin", [1], None, GONE])
def test_without_a_writing_role_nothing_is_taken(url: str, roles: Any) -> None:
    assert push(url, bearer=token(roles=roles)).status_code == 403
    assert rows(url) == []


def test_another_tenants_token_takes_nothing(url: str) -> None:
    assert push(url, bearer=token(tenant_id="acme")).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        *({name: GONE} for name in BODY),
        {"amount_gross_minor": 111},
        {"amount_net_minor": "100"},
        {"amount_net_minor": 100.5},
        {"period_end": "2026-04-01"},
        {"issued_on": "1 May"},
        {"currency": "usd"},
        {"line_count": -1},
        {"vendor": "DigitalOcean"},
        {"external_id": ""},
        {"more": 1},
    ],
    ids=repr,
)
def test_what_is_no_such_invoice_is_refused(url: str, changed: dict[str, Any]) -> None:
    body = {name: value for name, value in {**BODY, **changed}.items() if value is not GONE}
    assert push(url, body).status_code == 422
    assert rows(url) == []


def test_a_fault_that_it_does_not_know_is_refused(url: str) -> None:
    answer = requests.post(f"{url}/_control/faults", json={"kind": "list_lag"}, timeout=20)
    assert answer.status_code == 400
    assert "lost_answer" in answer.json()["message"]


def test_rows_in_a_file_outlive_it(tmp_path: Path) -> None:
    for action in ("created", "updated"):
        with serve(InvoiceStore(str(tmp_path / "rows"))) as url:
            assert push(url).json()["action"] == action


def test_the_command_announces_its_address_takes_the_secret_and_stops(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator.finance", "--port", "0", "--rows", str(tmp_path / "rows")]
    environment = {**os.environ, "SKYAI_FINANCE_JWT_SECRET": "k" * 64}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words, _, url = process.stdout.readline().strip().rpartition(" ")
            assert words == "finance listening on"
            assert push(url).status_code == 401
            assert push(url, bearer=token(key="k" * 64)).status_code == 201
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
