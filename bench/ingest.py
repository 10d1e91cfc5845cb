"""`ingest`: an invoice's CSV read, checked, matched and kept, against csv.reader and COPY into one table.

The floor is the least that keeping a table of that many rows takes: its constraints, foreign keys and indexes
are those of ours. It checks nothing, and is told beforehand which resource each row is about.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from tempfile import TemporaryFile
from typing import IO, Final

from django.db import connection, transaction

from bench.harness import Contender, Row, bench, compare
from bench.scratch import scratch_database
from billing.ingest.stage import replace_lines
from billing.models import ProviderInvoice
from inventory.models import Resource

LINES: Final = 1_000_000
RESOURCES: Final = 100_000
ROUNDS: Final = 2
_HEADER: Final = "product,group_description,description,hours,start,end,USD,project_name,category\n"
_FLOOR: Final = """
    COPY cloud_cost_lines (
        invoice_id, line_no, product, group_description, description, hours, started_at, ended_at, amount,
        project_name, category, item_resource_id, item_resource_uuid, kind, name, is_tax, match, resource_id
    ) FROM STDIN
"""


@bench("ingest")
def ingest(scale: float) -> Iterator[Row]:
    """A month's invoice of a large account. Every line is a droplet's, and one in a hundred is nobody's."""
    lines, resources = max(100, round(LINES * scale)), max(10, round(RESOURCES * scale))
    with scratch_database(), TemporaryFile() as file:
        ids = _resources(resources)
        invoice = _invoice()
        _write(file, lines, resources)
        yield compare(
            "ingest",
            f"{lines} lines against {resources} resources",
            ours=Contender(lambda _: _ours(invoice, file, lines), _empty),
            floor=Contender(lambda _: _floor(invoice, file, ids), _empty),
            target=2.5,
            rounds=ROUNDS,
            warm_up=False,
        )


def _ours(invoice: int, file: IO[bytes], lines: int) -> None:
    file.seek(0)
    kept = replace_lines(invoice, file, None)
    assert kept.count == lines
    assert kept.matched >= lines * 0.98


def _floor(invoice: int, file: IO[bytes], ids: list[int]) -> None:
    file.seek(0)
    raw = connection.connection
    count = len(ids)
    with transaction.atomic(), raw.cursor() as cursor, cursor.copy(_FLOOR) as copy:
        rows = csv.reader(line.decode() for line in file)
        next(rows)
        for number, row in enumerate(rows, start=1):
            product, group, description, hours, start, end, usd, project, category = row
            resource = ids[number % count] if number % 100 else None
            copy.write_row(
                (
                    invoice, number, product, group, description, hours, start, end, usd.lstrip("$"), project,
                    category, "", "", "droplet", description, False, "none" if resource is None else "unique",
                    resource,
                )
            )  # fmt: skip


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE cloud_cost_lines")


def _resources(count: int) -> list[int]:
    """Droplets, each with a name of its own."""
    born = datetime(2026, 1, 1, tzinfo=UTC)
    made = Resource.objects.bulk_create(
        (
            Resource(
                kind="droplet",
                provider_id=str(300_000_000 + number),
                name=_name(number),
                provider_created_at=born,
                first_seen_at=born,
                last_seen_at=born,
            )
            for number in range(count)
        ),
        batch_size=5_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE cloud_resources")
    return [resource.pk for resource in made]


def _invoice() -> int:
    return ProviderInvoice.objects.create(
        invoice_uuid="bench", period=date(2026, 4, 1), issued_on=date(2026, 5, 1), amount=0
    ).pk


def _write(file: IO[bytes], lines: int, resources: int) -> None:
    """Rows as DigitalOcean writes them: most for the whole month, some for a part of it."""
    text = StringIO()
    text.write(_HEADER)
    for number in range(1, lines + 1):
        name = _name(number % resources) if number % 100 else f"gone-{number}"
        part = number % 28 + 1 if number % 3 == 0 else 1
        price = f"${number % 4000 / 100:.2f}"
        text.write(
            f"Droplets,,{name} (s-1vcpu-1gb),{720 - 24 * (part - 1)},2026-04-{part:02d} 00:00:00 +0000,"
            f"2026-05-01 00:00:00 +0000,{price},project-{number % 50},iaas\n"
        )
        if number % 10_000 == 0:
            file.write(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    file.write(text.getvalue().encode())


def _name(number: int) -> str:
    return f"web-{number:06d}.example.com"
