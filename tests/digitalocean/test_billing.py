"""DigitalOcean's billing endpoints through the client."""

import gzip
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

from arcadia_cloud.digitalocean import records, text_stream
from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import (
    ProviderForbidden,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from tests.digitalocean.conftest import TOKEN, Connect
from tests.digitalocean.official import document, examples, schema_fields
from tests.digitalocean.provider import Reply, Seen, one_after_another

INVOICES = "/v2/customers/my/invoices"
CSV_TYPE = {"content-type": "text/csv"}
HTML_TYPE = {"content-type": "text/html; charset=utf-8"}
TABLE = "product,USD\r\nDroplets,$5.00\nTaxes,$0.50\n"


def _official(path: str) -> Any:
    return examples(path)["example"]


def _list(key: str, *items: Any) -> dict[str, Any]:
    return {key: list(items), "links": {}, "meta": {"total": len(items)}}


def _csv(text: str | bytes = TABLE, status: int = 200, **changes: Any) -> Reply:
    body = text.encode() if isinstance(text, str) else text
    return Reply(status, body, **{"headers": CSV_TYPE, **changes})


def _read(client: DigitalOcean) -> list[str]:
    with client.invoice_csv("u-1") as lines:
        return list(lines)


# --- The official document's examples, over HTTP -------------------------------------------------------
def test_the_official_balance_is_read(connect: Connect) -> None:
    example = _official("/v2/customers/my/balance")
    client, server = connect(lambda _seen: Reply(body=example))
    balance = client.balance()
    assert (balance.month_to_date_balance, balance.account_balance) == (Decimal("23.44"), Decimal("12.23"))
    assert balance.month_to_date_usage == Decimal("11.21")
    assert balance.generated_at == datetime(2019, 7, 9, 15, 1, 12, tzinfo=UTC)
    assert server.seen[0].path == "/v2/customers/my/balance"


def test_the_official_billing_history_is_read_page_by_page(connect: Connect) -> None:
    first = _official("/v2/customers/my/billing_history")
    last = {**first, "links": {"pages": {"first": "x", "prev": "x"}}}
    client, server = connect(one_after_another(Reply(body=first), Reply(body=last)))
    invoice, payment, *rest = client.billing_history()
    assert (invoice.type, invoice.amount, invoice.invoice_uuid) == (
        "Invoice", Decimal("12.34"), "example-uuid",
    )  # fmt: skip
    assert (payment.type, payment.amount, payment.invoice_uuid, payment.invoice_id) == (
        "Payment", Decimal("-12.34"), "", "",
    )  # fmt: skip
    assert payment.date == datetime(2018, 6, 2, 8, 44, 38, tzinfo=UTC)
    assert len(rest) == 2
    assert [seen.query["page"] for seen in server.seen] == ["1", "2"]


def test_the_official_invoices_and_their_preview_are_read(connect: Connect) -> None:
    example = {**_official(INVOICES), "links": {}}
    client, server = connect(lambda _seen: Reply(body=example))
    newer, older = client.invoices()
    assert (newer.invoice_uuid[:8], newer.invoice_id, newer.amount) == (
        "22737513", "12345678", Decimal("12.34"),
    )  # fmt: skip
    assert (newer.period, older.period, newer.updated_at) == (date(2019, 12, 1), date(2019, 11, 1), None)
    preview = client.invoice_preview()
    assert preview is not None
    assert (preview.invoice_uuid[:8], preview.amount, preview.period) == (
        "1afe95e6", Decimal("34.56"), date(2020, 2, 1),
    )  # fmt: skip
    assert preview.updated_at == datetime(2020, 2, 23, 6, 31, 50, tzinfo=UTC)
    assert server.seen[-1].query == {"per_page": "1"}


def test_the_official_billing_insights_are_read_by_numbered_pages(connect: Connect) -> None:
    path = "/v2/billing/{account_urn}/insights/{start_date}/{end_date}"
    first = {**_official(path), "total_pages": 2, "total_items": 4}
    client, server = connect(one_after_another(Reply(body=first), Reply(body={**first, "current_page": 2})))
    urn = "do:team:12345678-1234-1234-1234-123456789012"
    pages = list(client.cost_point_pages(urn, first=date(2025, 1, 1), last=date(2025, 1, 31)))
    assert [(page.total, len(page.items), page.next_offset) for page in pages] == [(4, 2, 200), (4, 2, None)]
    droplet, cluster = pages[0].items
    assert (droplet.start_date, droplet.total_amount, droplet.sku, droplet.group_description) == (
        date(2025, 1, 1), Decimal("0.86"), "1-DO-DROP-0109", "",
    )  # fmt: skip
    assert (cluster.description, cluster.group_description, cluster.region) == (
        "3 nodes - 4 GB / 2 vCPU / 80 GB SSD", "kubernetes cluster name", "nyc3",
    )  # fmt: skip
    assert [seen.query["page"] for seen in server.seen] == ["1", "2"]
    assert unquote(server.seen[0].path) == f"/v2/billing/{urn}/insights/2025-01-01/2025-01-31"


@pytest.mark.parametrize("around", [{}, {"invoice_preview": None}])
def test_there_may_be_no_preview(connect: Connect, around: dict[str, Any]) -> None:
    client, _ = connect(lambda _seen: Reply(body={**_list("invoices"), **around}))
    assert client.invoice_preview() is None


def test_the_official_items_are_read(connect: Connect) -> None:
    path = f"{INVOICES}/{{invoice_uuid}}"
    example = {**_official(path), "links": {}}
    client, server = connect(lambda _seen: Reply(body=example))
    cluster, spaces = client.invoice_items("22737513-0ea7-4206-8ceb-98a575af7681")
    assert (cluster.resource_uuid, cluster.resource_id) == ("711157cb-37c8-4817-b371-44fa3504a39c", "")
    assert (cluster.product, cluster.group_description) == ("Kubernetes Clusters", "my-doks-cluster")
    assert (cluster.amount, cluster.duration, cluster.duration_unit) == (Decimal("12.34"), "744", "Hours")
    assert cluster.end_time == datetime(2020, 2, 1, tzinfo=UTC)
    assert (spaces.resource_uuid, spaces.project_name, spaces.category) == ("", "", "")
    assert server.seen[0].path == f"{INVOICES}/22737513-0ea7-4206-8ceb-98a575af7681"


def test_the_official_summary_is_read_and_the_customer_is_not(connect: Connect) -> None:
    example = _official(f"{INVOICES}/{{invoice_uuid}}/summary")
    client, _ = connect(lambda _seen: Reply(body=example))
    summary = client.invoice_summary("22737513-0ea7-4206-8ceb-98a575af7681")
    assert (summary.amount, summary.period) == (Decimal("27.13"), date(2020, 1, 1))
    assert [(each.name, each.amount) for each in summary.product_charges.items] == [
        ("Spaces Subscription", Decimal("10.00")),
        ("Database Clusters", Decimal("2.34")),
    ]
    sums = (summary.overages, summary.taxes, summary.credits_and_adjustments)
    assert [each.amount for each in sums] == [Decimal("3.45"), Decimal("4.56"), Decimal("6.78")]
    assert "Sammy" not in repr(summary)
    assert "sammy@" not in repr(summary)


def test_the_official_table_is_read(connect: Connect) -> None:
    path = f"{INVOICES}/{{invoice_uuid}}/csv"
    content = document()["paths"][path]["get"]["responses"]["200"]
    while "$ref" in content:
        content = document()["components"]["responses"][content["$ref"].rpartition("/")[2]]
    example = content["content"]["text/csv"]["example"]
    client, server = connect(lambda _seen: _csv(example))
    lines = _read(client)
    assert "".join(lines) == example
    assert len(lines) == 3
    assert (server.seen[0].path, server.seen[0].headers["accept"]) == (f"{INVOICES}/u-1/csv", "text/csv")


def test_an_items_fields_are_the_documents_and_the_category_that_it_lacks() -> None:
    assert set(records.InvoiceItemRecord.__struct_fields__) - schema_fields("invoice_item") == {"category"}


# --- Amounts -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("amount", ["0.1", "-1779.55", "1000000000000.01", 0.1, 5])
def test_an_amount_is_exactly_what_was_sent(connect: Connect, amount: object) -> None:
    entry = {"type": "Credit", "date": "2020-01-01T00:00:00Z", "amount": amount}
    client, _ = connect(lambda _seen: Reply(body=_list("billing_history", entry)))
    (found,) = client.billing_history()
    assert found.amount == Decimal(str(amount))
    assert type(found.amount) is Decimal


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "", "1,000.00", "$5.00", None, []])
def test_what_is_no_amount_is_refused_by_the_invoices_uuid(connect: Connect, amount: object) -> None:
    head = {"invoice_uuid": "u-7", "amount": amount, "invoice_period": "2020-01"}
    client, _ = connect(lambda _seen: Reply(body=_list("invoices", head)))
    with pytest.raises(ProviderMalformed, match="invoices u-7"):
        list(client.invoices())


@pytest.mark.parametrize("month", ["2020-13", "2020-00", "2020-1", "20-01", "2020-01-01", "٢٠٢٠-01", ""])
def test_what_is_no_month_is_refused(connect: Connect, month: object) -> None:
    head = {"invoice_uuid": "u-7", "amount": "1", "invoice_period": month}
    client, _ = connect(lambda _seen: Reply(body=_list("invoices", head)))
    with pytest.raises(ProviderMalformed, match="invoices u-7 field invoice_period"):
        list(client.invoices())


def test_null_and_absence_are_read_alike(connect: Connect) -> None:
    optional = [
        name for name in records.InvoiceItemRecord.__struct_fields__ if name not in {"product", "amount"}
    ]
    bare = {"product": "Droplets", "amount": "1.00"}
    nulls = {**bare, **dict.fromkeys(optional)}
    client, _ = connect(lambda _seen: Reply(body=_list("invoice_items", bare, nulls)))
    first, second = client.invoice_items("u-1")
    assert first == second
    summary = {"invoice_uuid": "u-1", "amount": "0", "billing_period": "2020-01"}
    spares = ("product_charges", "overages", "taxes", "credits_and_adjustments")
    client, _ = connect(one_after_another(Reply(body=summary), Reply(body=summary | dict.fromkeys(spares))))
    assert client.invoice_summary("u-1") == client.invoice_summary("u-1")
    assert client.invoice_summary("u-1").credits_and_adjustments.amount == 0


def test_each_purpose_has_its_token(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_API_TOKEN_BILLING", "dop_v1_" + "b" * 64)
    client, server = connect(lambda _seen: _csv(), purpose="BILLING")
    _read(client)
    assert server.seen[0].headers["authorization"] == "Bearer dop_v1_" + "b" * 64


# --- The table's stream --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", []),
        (b"a,b\n", ["a,b\n"]),
        (b"\xef\xbb\xbfa,b\r\nc,d", ["a,b\r\n", "c,d"]),
        ("a\u2028b\x0bc\n\u00e9,d\n".encode(), ["a\u2028b\x0bc\n", "\u00e9,d\n"]),
        (b'a,"b\r\nc"\n', ['a,"b\r\n', 'c"\n']),
    ],
)
def test_lines_keep_their_ends_and_lose_a_byte_order_mark(
    connect: Connect, body: bytes, lines: list[str]
) -> None:
    client, _ = connect(lambda _seen: _csv(body))
    assert _read(client) == lines


def test_a_letter_may_be_split_between_two_packets(connect: Connect) -> None:
    client, _ = connect(lambda _seen: _csv("é,ü\nß\n", drip_seconds=0.001))
    assert _read(client) == ["é,ü\n", "ß\n"]


def test_a_byte_that_is_no_utf_8_reaches_whoever_reads_the_rows(connect: Connect) -> None:
    client, _ = connect(lambda _seen: _csv(b"product,USD\nb\xfccher,1\nproduct\xc3"))
    lines = _read(client)
    assert [line.encode("utf-8", "surrogateescape") for line in lines] == [
        b"product,USD\n", b"b\xfccher,1\n", b"product\xc3",
    ]  # fmt: skip


def test_a_packed_table_is_unpacked(connect: Connect) -> None:
    packed = Reply(body=gzip.compress(TABLE.encode()), headers={**CSV_TYPE, "content-encoding": "gzip"})
    client, _ = connect(lambda _seen: packed)
    assert "".join(_read(client)) == TABLE


@pytest.mark.parametrize(
    "fault",
    [
        Reply(429, {"id": "too_many_requests"}, {"retry-after": "0"}),
        Reply(503, b"<html>"),
        Reply(drop=True),
        Reply(delay=0.6),
    ],
    ids=["429", "503", "dropped", "too late"],
)
def test_a_table_that_does_not_begin_is_asked_for_again(connect: Connect, quick: None, fault: Reply) -> None:
    client, server = connect(one_after_another(fault, fault, _csv()), timeout=0.3)
    assert "".join(_read(client)) == TABLE
    assert len(server.seen) == client.calls == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(404, ProviderNotFound), (403, ProviderForbidden), (422, ProviderRejected)]
)
def test_a_refusal_is_converted(connect: Connect, status: int, kind: type[Exception]) -> None:
    client, server = connect(
        lambda _seen: Reply(status, {"id": "some_reason", "message": "No such invoice."})
    )
    with pytest.raises(kind, match=rf"GET {INVOICES}/u-1/csv: {status} some_reason: No such invoice\."):
        _read(client)
    assert len(server.seen) == 1


LONG = "".join(f"Droplets,web-{number},$1.00\n" for number in range(50_000))


@pytest.mark.parametrize("kept", [1, 100_000, len(LONG) - 1])
def test_a_table_cut_before_its_announced_length_is_no_short_one(connect: Connect, kept: int) -> None:
    client, server = connect(lambda _seen: _csv(LONG, cut=kept))
    with pytest.raises(ProviderUnavailable, match=r"/u-1/csv: the connection failed"):
        _read(client)
    assert len(server.seen) == 1


@pytest.mark.parametrize("end", ["0\r\n\r\n", "0\r\n", "", "5\r\nTaxe"])
def test_a_chunked_table_without_its_last_chunk_is_no_short_one(connect: Connect, end: str) -> None:
    body = f"{len(TABLE):x}\r\n{TABLE}\r\n{end}".encode()
    headers = {**CSV_TYPE, "transfer-encoding": "chunked", "content-length": ""}
    client, _ = connect(lambda _seen: Reply(body=body, headers=headers, then_close=True))
    if end.startswith("0"):
        assert "".join(_read(client)) == TABLE
    else:
        with pytest.raises(ProviderUnavailable, match="the connection failed"):
            _read(client)


def test_a_connection_that_falls_silent_in_the_middle_is_unavailable(connect: Connect) -> None:
    client, _ = connect(lambda _seen: _csv("abc", drip_seconds=0.6), timeout=0.3)
    with pytest.raises(ProviderUnavailable, match="no answer within the time limit"):
        _read(client)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            _csv(b"<html>Maintenance</html>", headers=HTML_TYPE),
            "text/html",
        ),
        (Reply(body={"id": "x"}), "application/json"),
        (_csv(b"<!DOCTYPE html>\n<p>Maintenance"), "markup"),
        (_csv(b'\xef\xbb\xbf  {"id": "x"}'), "markup"),
        (_csv(b"x" * (text_stream.LONGEST_LINE + 1)), "a line is longer than"),
    ],
)
def test_an_answer_that_is_no_table_is_malformed(connect: Connect, reply: Reply, words: str) -> None:
    client, server = connect(lambda _seen: reply)
    with pytest.raises(ProviderMalformed, match=words) as caught:
        _read(client)
    assert "Maintenance" not in str(caught.value)
    assert not caught.value.outcome_unknown
    assert len(server.seen) == 1


def test_a_table_without_end_is_given_up(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_stream, "LONGEST_TEXT", 300_000)
    client, _ = connect(lambda _seen: _csv(LONG))
    with pytest.raises(ProviderMalformed, match="longer than 300000 bytes"):
        _read(client)


def test_no_fault_of_a_stream_leaks_the_token(connect: Connect) -> None:
    client, _ = connect(lambda _seen: _csv(LONG, cut=300_000))
    with pytest.raises(ProviderUnavailable) as caught:
        _read(client)
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__


def test_a_reader_may_leave_early_and_the_client_goes_on(connect: Connect) -> None:
    balance = Reply(body={
        "month_to_date_balance": "1", "account_balance": "1", "month_to_date_usage": "0",
        "generated_at": "2020-01-01T00:00:00Z",
    })  # fmt: skip

    def answer(seen: Seen) -> Reply:
        return _csv(LONG) if seen.path.endswith("/csv") else balance

    client, _ = connect(answer)
    with client.invoice_csv("u-1") as lines:
        assert next(lines) == "Droplets,web-0,$1.00\n"
        assert client.balance().account_balance == 1  # while it is open
    assert client.balance().account_balance == 1


def test_memory_is_flat_in_the_tables_length(connect: Connect) -> None:
    client, _ = connect(lambda _seen: _csv(LONG * 20))
    with client.invoice_csv("u-1") as lines, _memory() as peak:
        assert sum(1 for _line in lines) == 1_000_000
    assert peak[0] < 2_000_000


@contextmanager
def _memory() -> Iterator[list[int]]:
    """The most bytes that Python took during the block, but for what the provider's thread sends."""
    peak: list[int] = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
