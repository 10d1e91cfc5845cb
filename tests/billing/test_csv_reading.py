"""An invoice's CSV is read exactly, however it is written, or refused by row, column and value."""

import csv
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from billing.ingest.cells import amount
from billing.ingest.csv import UnreadableInvoice, read_lines
from billing.values import BilledLine
from tests.billing.csv_files import CURRENT, FIRST, LAST, OF_2019, Dialect, a_line, read, table

SAMPLE_OF_2020 = b"""\
product,group_description,description,hours,start,end,USD,project_name
Droplets,,web-01 (s-1vcpu-1gb),720,2020-04-01 00:00:00 +0000,2020-05-01 00:00:00 +0000,$5.00,instance
Taxes,,GST Australia (10.00%),,2020-04-01 00:00:00 +0000,2020-04-30 23:59:59 +0000,$1.70,
"""


def spaced(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in names)


def test_a_row_is_read_as_it_stands() -> None:
    droplet, tax = read(SAMPLE_OF_2020)
    assert droplet == BilledLine(
        number=1,
        product="Droplets",
        group_description="",
        description="web-01 (s-1vcpu-1gb)",
        hours=Decimal(720),
        started_at=datetime(2020, 4, 1, tzinfo=UTC),
        ended_at=datetime(2020, 5, 1, tzinfo=UTC),
        amount=Decimal("5.00"),
        project_name="instance",
        category="",
    )
    assert (tax.number, tax.hours, tax.amount) == (2, None, Decimal("1.70"))
    assert tax.ended_at == datetime(2020, 4, 30, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "dialect",
    [
        pytest.param(Dialect(columns=spaced(CURRENT)), id="spaces in the header"),
        pytest.param(Dialect(columns=tuple(map(str.upper, CURRENT))), id="the header in capitals"),
        pytest.param(Dialect(columns=tuple(f" {name} " for name in CURRENT)), id="padded names"),
        pytest.param(Dialect(columns=CURRENT[::-1]), id="another order"),
        pytest.param(Dialect(columns=("sku", *CURRENT, "region")), id="more columns"),
        pytest.param(Dialect(bom=True), id="a byte-order mark"),
        pytest.param(Dialect(bom=True, quoting=csv.QUOTE_ALL), id="a quoted header after a byte-order mark"),
        pytest.param(Dialect(line_end="\r\n"), id="CRLF"),
        pytest.param(Dialect(last_line_end=False), id="no line end at the end"),
    ],
)
def test_the_same_table_in_another_dialect_reads_the_same(dialect: Dialect) -> None:
    lines = [a_line(1), a_line(2, "api, blue (s-1vcpu-1gb)", "-1779.55", project_name="")]
    assert read(table(lines, dialect)) == lines


def test_without_a_category_or_a_project_the_cells_are_empty() -> None:
    (line,) = read(table([a_line()], Dialect(columns=OF_2019)))
    assert (line.project_name, line.category) == ("acme", "")
    (line,) = read(table([a_line()], Dialect(columns=OF_2019[:-1])))
    assert (line.project_name, line.category) == ("", "")


def test_commas_quotes_and_line_breaks_in_a_cell_are_part_of_it() -> None:
    lines = [a_line(1, 'the "big", one\nof two\r\nlines (s-1vcpu-1gb)'), a_line(2)]
    assert read(table(lines)) == lines


def test_an_invoice_may_have_no_lines_but_not_no_header() -> None:
    assert read(table([])) == []
    with pytest.raises(UnreadableInvoice, match="the file is empty"):
        read(b"")


def test_blank_lines_count_for_nothing() -> None:
    written = table([a_line(1), a_line(2)]).replace(b"\nDroplets", b"\n\n\nDroplets") + b"\n\n"
    assert read(written) == [a_line(1), a_line(2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$5.00", "5.00"),
        ("5", "5"),
        (" $1,015.00 ", "1015.00"),
        ("-$5.00", "-5.00"),
        ("$-5.00", "-5.00"),
        ("($5.00)", "-5.00"),
        ("(5.00)", "-5.00"),
        ("-$1,234,567.89", "-1234567.89"),
        ("$0.0000000001", "0.0000000001"),
        ("$0.00", "0.00"),
    ],
)
def test_an_amount_is_exact(text: str, expected: str) -> None:
    assert amount(text) == Decimal(expected)
    assert amount(text).as_tuple() == Decimal(expected).as_tuple()


@pytest.mark.parametrize(
    "text",
    [
        "", "$", "5.0.0", "1,01.00", "10,15", "-($5.00)", "--5", "$-$5", "5 00", "5e3", "NaN", "$5.", ".5",
        "€5.00", "\uff15.00", "5.00-", "(5.00", "1" * 15, "$0.00000000001", "+5.00",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_by_row_column_and_value(text: str) -> None:
    written = table([a_line(1), a_line(2)]).rsplit(b"$6.00", 1)
    with pytest.raises(UnreadableInvoice) as refusal:
        read(written[0] + b'"' + text.encode() + b'"' + written[1])
    assert (refusal.value.row, refusal.value.column, refusal.value.value) == (2, "USD", text)
    assert "row 2 (line 3 of the file), column USD" in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-01 00:00:00 +0000",
        "2026-04-01 00:00:00 UTC",
        "2026-04-01T00:00:00Z",
        "2026-04-01T00:00:00+00:00",
        "2026-04-01 02:00:00+02:00",
        "2026-03-31T14:00:00.000-1000",
    ],
)
def test_a_time_is_read_with_its_zone(text: str) -> None:
    written = table([a_line()]).replace(b"2026-04-01 00:00:00 +0000", text.encode())
    assert read(written) == [a_line()]


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-04-01", "2026-04-01 00:00:00", "2026-04-31 00:00:00 +0000", "2026-13-01T00:00:00Z",
        "01/04/2026", "2026-04-01 24:00:00 +0000", "2026-04-01 00:00:00 +9999", "1775001600",
        "2026-04-01x00:00:00Z",
    ],
)  # fmt: skip
def test_a_time_without_a_zone_or_outside_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(UnreadableInvoice) as refusal:
        read(table([a_line()]).replace(b"2026-04-01 00:00:00 +0000", text.encode()))
    assert (refusal.value.row, refusal.value.column, refusal.value.value) == (1, "start", text)


@pytest.mark.parametrize("text", ["-1", "$5", "many", "1,0", "1e3"])
def test_what_is_no_number_of_hours_is_refused(text: str) -> None:
    with pytest.raises(UnreadableInvoice) as refusal:
        read(table([a_line()]).replace(b",720,", f',"{text}",'.encode()))
    assert (refusal.value.column, refusal.value.value) == ("hours", text)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"product,description,start,end\n", "the header: there is no column usd"),
        (b"<html><body>Bad gateway</body></html>\n", "the header: there is no column product"),
        (table([], Dialect(columns=(*CURRENT, "usd"))), "the header: the column usd stands twice"),
        (table([a_line()]).rstrip(b"iaas\n").rstrip(b","), "has 8 cells, the header has 9"),
        (table([a_line()]) + b"x,y\n", "row 2 .* has 2 cells, the header has 9"),
        (
            table([a_line(1, 'a "quote"')]) + b'Droplets,,"web',
            "row 2 .* can't be read: unexpected end of data",
        ),
        (
            table([a_line(), a_line(2, "b\u00fccher-01")]).replace("\u00fc".encode(), b"\xfc"),
            r"row 2 \(line 3 of the file\), column description: 'b\ufffdcher-01' is not UTF-8 text",
        ),
        (
            table([a_line(number) for number in range(1, 3000)]) + "Droplets,,\u20ac".encode("cp1252"),
            r"row 3000 \(line 3001 of the file\), column description: .* is not UTF-8 text",
        ),
        (
            table([a_line()]).replace(b"acme", b"acme\xe2\x82"),
            "row 1 .*, column project_name: .* is not UTF-8",
        ),
        (table([a_line()]).replace(b"USD", b"\x80USD"), "the header: .* is not UTF-8 text"),
        (table([a_line()]).replace(b"USD", b"U\0SD"), "the header: can't be read: it has a NUL byte"),
        (table([a_line()]).replace(b"web", b"w\0b"), "row 1 .* it has a NUL byte"),
        (table([a_line(started_at=LAST, ended_at=FIRST)]), "column end: .* is before the start"),
    ],
)
def test_a_file_that_is_no_invoice_is_refused_with_a_reason(written: bytes, words: str) -> None:
    with pytest.raises(UnreadableInvoice, match=words):
        read(written)


def test_a_long_value_is_not_quoted_whole() -> None:
    with pytest.raises(UnreadableInvoice) as refusal:
        read(table([a_line()]).replace(b"$6.00", b"x" * 5000))
    assert len(str(refusal.value)) < 200


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    row = table([a_line()]).splitlines(keepends=True)[1]
    with TemporaryFile() as file:
        file.write(table([]) + row * 100_000)
        file.seek(0)
        tracemalloc.start()
        assert sum(line.amount for line in read_lines(file)) == 600_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2_000_000


def test_the_file_stays_open_for_whoever_gave_it() -> None:
    file = BytesIO(table([a_line()]))
    assert len(list(read_lines(file))) == 1
    file.seek(0)
    assert len(list(read_lines(file))) == 1
