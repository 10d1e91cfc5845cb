"""From a file: one that can't be read changes nothing, one that was spoiled isn't taken for good."""

from pathlib import Path

import pytest

from billing import services
from billing.ingest.csv import UnreadableInvoice
from billing.models import ProviderInvoice
from tests.billing.conftest import Ingest
from tests.billing.test_ingest import rows, table_of
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("old", "new"), [(b"$6.00", b"$6.0O"), (b"2026-04", b"2026-0x"), (b"720", b"many")])
def test_a_file_that_cannot_be_read_changes_nothing(
    reference: Simulated, april: ProviderInvoice, ingest: Ingest, tmp_path: Path, old: bytes, new: bytes
) -> None:
    ingest(april)
    before = rows()
    file = tmp_path / "invoice.csv"
    file.write_bytes(table_of(reference, april).replace(old, new, 1))
    with pytest.raises(UnreadableInvoice, match=r"row \d+ .*column"):
        services.ingest_file(invoice_pk=april.pk, file=file)
    april.refresh_from_db()
    assert (rows(), april.ingest_status) == (before, "ingested")


def bits_of(written: bytes) -> list[tuple[int, int]]:
    """Some bits of every row's amount and dates: place and mask, the same in every run."""
    spots = []
    start = written.index(b"\n") + 1
    for number, row in enumerate(written[start:].splitlines(keepends=True)):
        if number % 4 == 0:
            cells = row.split(b",")
            offset = start + sum(len(cell) + 1 for cell in cells[:4])
            length = sum(len(cell) + 1 for cell in cells[4:7]) - 1
            spots += [
                (offset + (7 * number + 13 * turn) % length, 1 << (number + turn) % 3) for turn in range(3)
            ]
        start += len(row)
    return spots


def test_an_amount_or_a_date_changed_by_a_bit_is_never_taken_for_good(
    reference: Simulated, april: ProviderInvoice, tmp_path: Path
) -> None:
    written = table_of(reference, april)
    file = tmp_path / "invoice.csv"
    spots = bits_of(written)
    assert len(spots) > 20
    for place, mask in spots:
        spoiled = bytearray(written)
        spoiled[place] ^= mask
        file.write_bytes(spoiled)
        try:
            invoice = services.ingest_file(invoice_pk=april.pk, file=file).invoice
        except UnreadableInvoice:
            continue
        same = services.ingest_file(invoice_pk=april.pk, file=file)
        assert same.totals is not None
        change = f"{written[place - 12 : place + 12]!r} -> {bytes(spoiled[place - 12 : place + 12])!r}"
        assert invoice.ingest_status == "mismatch", change


def test_a_table_cut_off_anywhere_is_never_taken_for_good(
    reference: Simulated, april: ProviderInvoice, tmp_path: Path
) -> None:
    written = table_of(reference, april)
    file = tmp_path / "invoice.csv"
    last_row = len(written) - written.rstrip(b"\n").rfind(b"\n") - 1
    for length in [*range(0, len(written) - last_row, 97), *range(len(written) - last_row, len(written) - 7)]:
        file.write_bytes(written[:length])
        try:
            invoice = services.ingest_file(invoice_pk=april.pk, file=file).invoice
        except UnreadableInvoice:
            continue
        assert invoice.ingest_status == "mismatch", written[max(0, length - 30) : length]
