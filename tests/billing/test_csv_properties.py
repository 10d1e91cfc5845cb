"""Any table, written in any of the accepted ways, reads back the same."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ingest.csv import UnreadableInvoice
from billing.values import BilledLine
from tests.billing.csv_files import CURRENT, Dialect, provider_amount, read, table

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # Unicode's tables load
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2) | st.decimals(
    min_value=-1000, max_value=1000, places=10
)
INSTANTS = st.datetimes(
    min_value=datetime(2014, 1, 1),  # noqa: DTZ001 - the zone is added
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=10)), timezone(-timedelta(hours=4, minutes=30))]
    ),
).map(lambda at: at.replace(microsecond=0))


def signed_after(amount: Decimal) -> str:
    return f"$-{abs(amount):f}" if amount < 0 else f"{amount:f}"


def in_parentheses(amount: Decimal) -> str:
    return f"(${abs(amount):,f})" if amount < 0 else f"${amount:,f}"


WRITERS: dict[str, list[Callable[[Any], str]]] = {
    "amount": [provider_amount, signed_after, in_parentheses, lambda amount: f"{amount:f}"],
    "time": [
        lambda at: at.strftime("%Y-%m-%d %H:%M:%S %z"),
        lambda at: at.isoformat(),
        lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
}


@st.composite
def lines(draw: st.DrawFn) -> list[BilledLine]:
    found = []
    for number in range(1, draw(st.integers(0, 5)) + 1):
        start, end = sorted((draw(INSTANTS), draw(INSTANTS)))
        hours = draw(st.none() | st.decimals(min_value=0, max_value=10_000, places=4))
        found.append(
            BilledLine(
                number,
                product=draw(TEXTS),
                group_description=draw(TEXTS),
                description=draw(TEXTS),
                hours=hours,
                started_at=start,
                ended_at=end,
                amount=draw(AMOUNTS),
                project_name=draw(TEXTS),
                category=draw(TEXTS),
            )
        )
    return found


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    columns = draw(st.permutations([*CURRENT, *draw(st.sampled_from([[], ["Region"], ["sku", "Region"]]))]))
    case = draw(st.sampled_from([str.upper, str.lower, str.title]))
    separator = draw(st.sampled_from(["_", " "]))
    # Python's writer leaves a lone CR unquoted where the lines end in LF alone.
    line_ends: list[tuple[str, Literal[0, 1]]] = [
        ("\r\n", csv.QUOTE_MINIMAL),
        ("\r\n", csv.QUOTE_ALL),
        ("\n", csv.QUOTE_ALL),
    ]
    line_end, quoting = draw(st.sampled_from(line_ends))
    return Dialect(
        columns=[case(name).replace("_", separator) for name in columns],
        amount=draw(st.sampled_from(WRITERS["amount"])),
        time=draw(st.sampled_from(WRITERS["time"])),
        line_end=line_end,
        quoting=quoting,
        bom=draw(st.booleans()),
        last_line_end=draw(st.booleans()),
    )


@UNHURRIED
@given(lines(), dialects())
def test_any_table_in_any_dialect_reads_back_the_same(billed: list[BilledLine], dialect: Dialect) -> None:
    assert read(table(billed, dialect)) == billed


@UNHURRIED
@given(lines(), dialects(), st.data())
def test_a_table_cut_off_in_a_row_is_refused_or_shorter(
    billed: list[BilledLine], dialect: Dialect, data: st.DataObject
) -> None:
    """Cut in the last cell of a row, only the sum shows it: that is the reconciliation's."""
    written = table(billed, dialect)
    cut = written[: data.draw(st.integers(0, len(written) - 1))]
    try:
        found = read(cut)
    except UnreadableInvoice:
        return
    assert len(found) <= len(billed)
