"""The request to finance, and the outcome of each of its responses."""

import logging
import time
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import jwt
import pytest
import structlog
from django.test import Client
from rest_framework_simplejwt.exceptions import TokenError

from arcadia_cloud.finance import (
    Finance,
    FinanceInvoice,
    FinanceRejected,
    FinanceResponse,
    FinanceUnavailable,
)
from arcadia_cloud.finance.client import IMPORT_PATH
from arcadia_cloud.kernel.tokens import TenantToken
from simulator.finance.app import DEFAULT_SECRET
from tests.access import bearer
from tests.digitalocean.provider import Reply, Seen, provider
from tests.simulated import SimulatedFinance

INVOICE = FinanceInvoice(
    external_id="5c1e9a06-3d4f-4d8e-9f6b-0a4d3e2b1c00",
    number="514000136",
    currency="USD",
    period_start=date(2026, 4, 1),
    period_end=date(2026, 5, 1),
    issued_on=date(2026, 5, 1),
    amount_net_minor=7902,
    amount_tax_minor=790,
    amount_gross_minor=8692,
    line_count=33,
)
CANARY = "canary-7c1f"


def _push(reply: Reply, invoice: FinanceInvoice = INVOICE, timeout: float = 5.0) -> FinanceResponse:
    with provider(lambda _seen: reply) as server, Finance(base_url=server.url, timeout=timeout) as finance:
        try:
            return finance.import_invoice(invoice)
        finally:
            assert len(server.seen) <= 1  # nothing is repeated in here


def _sent(**reply: Any) -> Seen:
    """Return the request as finance sees it."""
    good = Reply(201, {"action": "created", "invoice_id": "7"}, **reply)
    with provider(lambda _seen: good) as server, Finance(base_url=server.url) as finance:
        finance.import_invoice(INVOICE)
        return server.seen[0]


def test_the_body_is_the_contracts() -> None:
    seen = _sent()
    assert (seen.method, seen.path) == ("POST", "/api/v1/integrations/cloud/import-invoice")
    assert seen.headers["content-type"] == "application/json"
    assert seen.body == {
        "tenant_id": "platform-admin",
        "source": "digitalocean",
        "external_id": "5c1e9a06-3d4f-4d8e-9f6b-0a4d3e2b1c00",
        "vendor": {"name": "DigitalOcean", "category": "cloud"},
        "number": "514000136",
        "currency": "USD",
        "period_start": "2026-04-01",
        "period_end": "2026-05-01",
        "issued_on": "2026-05-01",
        "amount_net_minor": 7902,
        "amount_tax_minor": 790,
        "amount_gross_minor": 8692,
        "line_count": 33,
    }


def test_the_token_lives_five_minutes_and_is_for_finance(settings: Any) -> None:
    settings.SKYAI_FINANCE_JWT_SECRET = "s" * 64
    settings.SKYAI_FINANCE_TENANT_ID, settings.SKYAI_FINANCE_ROLES = "ours", ["admin", "accountant"]
    now = int(time.time())
    token = _sent().headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, "s" * 64, algorithms=["HS512"], audience="finance")
    assert (claims["tenant_id"], claims["roles"]) == ("ours", ["admin", "accountant"])
    assert (claims["iss"], claims["typ"], claims["sub"]) == ("arcadia", "access", "arcadia-cloud")
    assert claims["exp"] - claims["iat"] == 300
    assert now <= claims["iat"] <= now + 5


def test_a_token_for_finance_opens_nothing_here_although_the_secret_is_shared(
    settings: Any, client: Client
) -> None:
    settings.SKYAI_FINANCE_JWT_SECRET = settings.ARCADIA_JWT_SECRET
    settings.SKYAI_FINANCE_ROLES = ["platform_admin", "admin"]
    token = _sent().headers["authorization"].removeprefix("Bearer ")
    with pytest.raises(TokenError):
        TenantToken(token)
    assert client.get("/api/v1/inventory", headers=bearer(token)).status_code == 401


def test_finance_takes_it_once_and_updates_it_then(finance: SimulatedFinance) -> None:
    with Finance() as client:
        first = client.import_invoice(INVOICE)
        second = client.import_invoice(replace(INVOICE, number="other"))
        other = client.import_invoice(replace(INVOICE, external_id="another"))
    assert [first.action, second.action, other.action] == ["created", "updated", "created"]
    assert first.invoice_id == second.invoice_id != other.invoice_id
    rows = finance.invoices()
    assert [(row["external_id"][:8], row["number"], row["times"]) for row in rows] == [
        ("5c1e9a06", "other", 2),
        ("another", "514000136", 1),
    ]
    net, tax, gross = (rows[0][f"amount_{name}_minor"] for name in ("net", "tax", "gross"))
    assert (net, tax, gross, rows[0]["vendor"]["category"]) == (7902, 790, 8692, "cloud")


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [
        ({"kind": "down"}, None, 0),
        ({"kind": "down", "reset": True}, None, 0),
        ({"kind": "slow", "seconds": 1.5}, None, 1),
        ({"kind": "server_error"}, 500, 0),
        ({"kind": "server_error", "status": 502, "html": True}, 502, 0),
        ({"kind": "rate_limited", "retry_after": 7}, 429, 0),
        ({"kind": "nonsense"}, 200, 0),
        ({"kind": "lost_answer"}, None, 1),
        ({"kind": "lost_answer", "status": 504}, 504, 1),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_after_a_passing_fault_a_second_push_leaves_one_row(
    finance: SimulatedFinance, fault: dict[str, Any], status: int | None, taken: int
) -> None:
    finance.fault(**fault)
    with Finance(timeout=0.7) as client:
        with pytest.raises(FinanceUnavailable) as caught:
            client.import_invoice(INVOICE)
        assert caught.value.status == status
        assert caught.value.retry_after == (7.0 if status == 429 else None)
        time.sleep(1.0 if fault["kind"] == "slow" else 0)
        assert client.import_invoice(INVOICE).action == ("updated" if taken else "created")
    assert [row["times"] for row in finance.invoices()] == [taken + 1]


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"SKYAI_FINANCE_JWT_SECRET": "w" * 64}, 401, "The token is not valid: InvalidSignatureError."),
        ({"SKYAI_FINANCE_JWT_AUDIENCE": "elsewhere"}, 401, "The token is not valid: InvalidAudienceError."),
        ({"SKYAI_FINANCE_ROLES": ["reader"]}, 403, "The token has no writing role."),
    ],
)
def test_a_refusal_is_reported_in_the_words_of_finance(
    finance: SimulatedFinance, settings: Any, changed: dict[str, Any], status: int, words: str
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    with Finance() as client, pytest.raises(FinanceRejected) as caught:
        client.import_invoice(INVOICE)
    assert (caught.value.status, caught.value.message) == (status, words)
    assert str(caught.value) == f"finance: {status} {words}"
    assert finance.invoices() == []


def test_an_invoice_that_finance_does_not_want_is_rejected(finance: SimulatedFinance) -> None:
    finance.fault("refused", message="The period is closed.")
    with Finance() as client, pytest.raises(FinanceRejected, match="422 The period is closed"):
        client.import_invoice(INVOICE)
    assert [entry["status"] for entry in finance.requests()] == [422]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        {},
        {"action": "created"},
        {"invoice_id": "7"},
        {"action": "created", "invoice_id": None},
        {"action": "created", "invoice_id": ""},
        {"action": "created", "invoice_id": {}},
        {"action": "deleted", "invoice_id": "7"},
        {"action": "created", "invoice_id": "7", "x": "y"},
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_response_without_an_action_is_no_success(body: Any) -> None:
    if isinstance(body, dict) and "x" in body:
        assert _push(Reply(200, body)) == FinanceResponse("created", "7")  # more than the contract is fine
        return
    with pytest.raises(FinanceUnavailable, match="200 the answer doesn't say what was done"):
        _push(Reply(200, body))


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(("invoice_id", "kept"), [("f-7", "f-7"), (7, "7"), (0, "0")])
def test_the_id_is_kept_as_text_whatever_it_is(status: int, invoice_id: object, kept: str) -> None:
    assert _push(Reply(status, {"action": "updated", "invoice_id": invoice_id})) == FinanceResponse(
        "updated", kept
    )


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(400, {"error": "bad", "message": "No vendor."}), FinanceRejected, "No vendor."),
        (Reply(422, {"errors": {"number": ["taken"]}}), FinanceRejected, '{"number":["taken"]}'),
        (Reply(404, b"<html>nothing</html>", {"content-type": "text/html"}), FinanceRejected,
         "Not Found, 20 bytes of text/html"),
        (Reply(409, {"error": 7}), FinanceRejected, "7"),
        (Reply(400, {"message": "x" * 9000}), FinanceRejected, "x" * 500),
        (Reply(302, b"", {"location": "https://elsewhere.example"}), FinanceRejected,
         "redirected elsewhere; the token isn't sent on"),
        (Reply(503, b"", {"retry-after": "99999"}), FinanceUnavailable, "Service Unavailable, 0 bytes"),
        (Reply(drop=True), FinanceUnavailable, "the connection failed: Connection reset by peer"),
        (Reply(201, {"action": "created", "invoice_id": 7}, cut=10), FinanceUnavailable, "connection failed"),
        (Reply(201, {}, delay=0.6), FinanceUnavailable, "no answer within the time limit"),
        (Reply(201, {"action": "created", "invoice_id": "7"}, drip_seconds=0.05), FinanceUnavailable,
         "no answer within the time limit"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_each_response_is_sorted_and_reported(reply: Reply, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        _push(reply, timeout=0.3)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_finance_that_is_not_there_is_unavailable() -> None:
    with provider(lambda _seen: Reply()) as server:
        url = server.url
    with Finance(base_url=url) as finance, pytest.raises(FinanceUnavailable, match="Connection refused"):
        finance.import_invoice(INVOICE)


def test_a_longer_wait_than_an_hour_is_none() -> None:
    with pytest.raises(FinanceUnavailable) as caught:
        _push(Reply(429, {}, {"retry-after": "99999"}))
    assert caught.value.retry_after == 3600.0


def _echo(seen: Seen) -> Reply:
    return Reply(400, {"message": f"bad {seen.headers['authorization']} {DEFAULT_SECRET} {CANARY}"})


@pytest.mark.parametrize(
    "script",
    [_echo, lambda _seen: Reply(drop=True), lambda _seen: Reply(200, b"?"), lambda _seen: Reply(500)],
)
def test_no_secret_gets_into_an_error_or_a_log(
    settings: Any, script: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SKYAI_FINANCE_JWT_SECRET = DEFAULT_SECRET
    caplog.set_level(logging.DEBUG)
    with (
        structlog.testing.capture_logs() as lines,
        provider(script) as server,
        Finance(base_url=server.url) as finance,
        pytest.raises((FinanceRejected, FinanceUnavailable)) as caught,
    ):
        finance.import_invoice(INVOICE)
    leaks = _description(caught.value) + repr(lines) + caplog.text
    for seen in server.seen:
        assert seen.headers["authorization"].removeprefix("Bearer ") not in leaks
    assert DEFAULT_SECRET not in leaks
    assert not (set(leaks.split()) & {"eyJ"})


def _description(error: BaseException) -> str:
    """The error as text and as a tracker sees it: with our frames' locals, causes included."""
    leaks: list[str] = []
    chained: BaseException | None = error
    while chained is not None:
        leaks += [repr(chained), repr(vars(chained))]
        trace = chained.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename != __file__:
                for value in trace.tb_frame.f_locals.values():
                    leaks.append(f"{value!r} {getattr(value, '__dict__', '')!r}")
            trace = trace.tb_next
        chained = chained.__cause__ or chained.__context__
    return "\n".join(leaks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_tax_minor": 791},
        {"period_end": date(2026, 4, 1)},
    ],
)
def test_an_invoice_that_does_not_add_up_is_never_sent(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=INVOICE.external_id):
        FinanceInvoice(**{**asdict(INVOICE), **wrong})


def test_the_path_is_under_the_address_given() -> None:
    good = Reply(200, {"action": "updated", "invoice_id": "7"})
    with provider(lambda _seen: good) as server, Finance(base_url=f"{server.url}/finance/") as finance:
        finance.import_invoice(INVOICE)
        assert server.seen[0].path == f"/finance{IMPORT_PATH}"
