"""The canonical form for ever: its bytes and hashes, in files that no change of the code may touch."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from catalog import canonical
from catalog.quote import quote
from catalog.values.lines import Quote
from catalog.values.terms import QuoteInputs
from tests.catalog.build import (
    JUNE,
    addon,
    amount_off,
    daily,
    graduated,
    gst,
    inputs_of,
    item,
    june,
    package,
    per_unit,
    percent_off,
    plan,
    resource_rate,
    segment,
    volume,
)

GOLDEN: Final = Path(__file__).parent / "golden"

STORAGE: Final = addon("storage_50gb", "spaces_gb_month", "50", "7.50")
CASES: Final[dict[str, QuoteInputs]] = {
    "every_rule": inputs_of(
        segment(
            june(1, 16),
            daily(
                "50",
                item(
                    "bandwidth_gb", "100", graduated(("100", "0.10", "1"), (None, "0.0525", "0")), cap="500"
                ),
                item("droplet_hours", "1488", per_unit("0.02"), minimum="5", maximum="25"),
                item("llm_tokens", "1000000", package("4", "1000000")),
                item("spaces_gb_month", "250", volume(("100", "0.03", "0"), (None, "0.02", "2"))),
            ),
            STORAGE,
            bandwidth_gb="700.5",
            droplet_hours="720",
            dns_zones="3",
            spaces_gb_month="160.000001",
        ),
        segment(
            june(16, 26),
            daily("120", item("droplet_hours", "2000", per_unit("0.0125", "3")), name="pro", version=7),
            droplet_hours="1234.5",
            reserved_ip_hours="240",
        ),
        rates=[resource_rate("reserved_ip_hours", "0.006", until=june(30, 31).end)],
        taxes=[gst()],
        discounts=[percent_off("10", since=june(10, 31).start), amount_off("3", scope="base")],
    ),
    "studio": inputs_of(
        segment(
            JUNE,
            plan(
                "50", item("droplet_hours", "1488", per_unit("0.02")), item("dns_zones", "5", per_unit("1"))
            ),
            droplet_hours="480",
            dns_zones="0.65",
        )
    ),
    "nothing": inputs_of(),
}


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_are_those_of_the_golden_file(case: str) -> None:
    inputs = CASES[case]
    assert canonical.encode(inputs) == (GOLDEN / f"{case}.inputs.json").read_bytes()
    assert canonical.encode(quote(inputs)) == (GOLDEN / f"{case}.quote.json").read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_stored_inputs_give_the_stored_quote(case: str) -> None:
    stored = (GOLDEN / f"{case}.quote.json").read_bytes()
    inputs = canonical.decode((GOLDEN / f"{case}.inputs.json").read_bytes(), QuoteInputs)
    assert inputs == CASES[case]
    assert canonical.encode(quote(inputs)) == stored
    assert canonical.encode(canonical.decode(stored, Quote)) == stored


HASHES: Final = {
    "every_rule": (
        "980a5f9ef59986bb3a40c55e79fa46983c67342bb76998eca454f8f354e02608",
        "a8aa325483ba72a472f2aa810560f35c945a18639e4d843762d754d4a5b273af",
    ),
    "studio": (
        "b417db595935140f92e81eca37a842a85c077c0cd86d5ee4536c3230ffdc0b9e",
        "52dd5eb493c790a397ed63d1e10106e414a5c016c55306828c521c3d092548de",
    ),
    "nothing": (
        "1b92131c8ee0c444cb0d620e6573093581119b9a99e99d732503f3530a178852",
        "f4d5aeac530b24f7bbd2295c119c31b95f0181ff3cfbd3536da547a65a701fe8",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_hashes_stay(case: str) -> None:
    assert (canonical.digest(CASES[case]), canonical.digest(quote(CASES[case]))) == HASHES[case]


def stored(case: str = "studio") -> dict[str, Any]:
    built: dict[str, Any] = json.loads((GOLDEN / f"{case}.inputs.json").read_bytes())
    return built


def written(built: dict[str, Any]) -> bytes:
    return json.dumps(built, sort_keys=True, separators=(",", ":")).encode()


def test_a_document_written_as_canonical_is_read() -> None:
    assert canonical.decode(written(stored()), QuoteInputs) == CASES["studio"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        written({**stored(), "form": "quote_inputs/2"}),
        written({**stored(), "form": "quote/1"}),
        written({**stored(), "currency": 1.5}),
        written({**stored(), "more": "1"}),
        json.dumps(stored()).encode(),  # spaces, and keys in another order
        written(stored()).replace(b'"0.65"', b"0.65"),  # a float
        written(stored()).replace(b'"0.65"', b'"0.650"'),
        written(stored()).replace(b'"0.65"', b'"-1"'),
        written(stored()).replace(b'"0.65"', b'"NaN"'),
    ],
)
def test_bytes_that_are_no_canonical_inputs_are_refused(data: bytes) -> None:
    with pytest.raises(canonical.UnknownForm):
        canonical.decode(data, QuoteInputs)
