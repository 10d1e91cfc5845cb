"""manage.py ingest_billing and push_finance: their output and their exit status."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from arcadia_cloud.main_job.pipeline import run_billing, run_push
from billing.models import CostLine, ProviderInvoice
from tests.billing.test_ingest import rows, table_of
from tests.inventory.conftest import Commands, ended, manage
from tests.simulated import Simulated, SimulatedFinance

__all__ = ["manage"]
pytestmark = pytest.mark.django_db(transaction=True)


def run(command: str, *arguments: str) -> str:
    """Return its output."""
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


def refused(command: str, *arguments: str) -> str:
    """Why it refused."""
    with pytest.raises(CommandError) as refusal:
        run(command, *arguments)
    return str(refusal.value)


def test_137_invoices_are_ingested_and_pushed_each_once(years: Simulated, finance: SimulatedFinance) -> None:
    said = run("ingest_billing")
    assert "137 new invoices" in said
    assert "138 ingested" in said, "the preview, too"
    assert run("push_finance").strip() == "137 created"
    assert "0 new invoices, 0 new entries" in run("ingest_billing")
    assert run("push_finance").strip() == "nothing to push"
    assert run("push_finance", "--force").strip() == "137 updated"
    rows_there = finance.invoices()
    assert (len(rows_there), {row["times"] for row in rows_there}) == (137, {2})
    assert set(
        ProviderInvoice.objects.filter(is_preview=False).values_list("push_status", "finance_action")
    ) == {("pushed", "updated")}
    taxes = CostLine.objects.filter(is_tax=True)
    assert taxes.exists()
    assert not taxes.exclude(resource=None).exists()


def test_the_main_job_bills_and_pushes_and_finds_nothing_new_the_second_time(
    reference: Simulated, finance: SimulatedFinance
) -> None:
    def counts(stage: Any) -> dict[str, int]:
        (line,) = stage(lambda _words: None)
        assert line.error == ""
        return {name: count for name, count in line.counts.items() if count}

    first = counts(run_billing)
    assert (first["new invoices"], first["ingested"]) == (137, 138)
    assert first["matched"] + first["unmatched"] + first["tax"] == first["lines"]
    assert counts(run_push) == {"created": 137}
    again = counts(run_billing)
    assert ("new invoices" in again, "new entries" in again, again["ingested"]) == (False, False, 1)
    assert counts(run_push) == {}


def test_the_main_job_reports_what_does_not_add_up_and_what_finance_refuses(
    reference: Simulated, finance: SimulatedFinance
) -> None:
    reference.fault(kind="missing_cent", path="/csv$", count=1)
    finance.fault("refused", count=0, message="no such vendor")
    (line,) = run_billing(lambda _words: None)
    assert "0.01 is missing from the lines" in line.error
    (line,) = run_push(lambda _words: None)
    assert line.status == "failed"
    assert "no such vendor (136 invoices)" in line.error


def test_one_invoice_is_read_again(april: ProviderInvoice) -> None:
    said = run("ingest_billing", "--invoice", april.invoice_uuid)
    assert "invoices: 1 ingested" in said
    assert "lines: 33, of which 6 matched, 26 unmatched, 1 tax; 86.92 in all" in said
    run("ingest_billing", "--invoice", april.invoice_uuid)
    assert "there is no invoice nonsense" in refused("ingest_billing", "--invoice", "nonsense")


def test_everything_since_a_month_is_read_again(reference: Simulated) -> None:
    assert "invoices: 5 ingested" in run("ingest_billing", "--since", "2026-01")
    assert ProviderInvoice.objects.filter(ingest_status="ingested").count() == 5
    assert "Must be a month" in refused("ingest_billing", "--since", "2026-13")


def test_a_difference_ends_the_command_with_an_error(reference: Simulated, april: ProviderInvoice) -> None:
    reference.fault(kind="missing_cent", path="/csv$", count=1)
    said = refused("ingest_billing", "--invoice", april.invoice_uuid)
    assert said == (
        f"{april}: mismatch: 0.01 is missing from the lines: they sum to 86.91, the invoice says 86.92; "
        "the CSV and the provider's items differ: 1 in the CSV alone (first: line 1), "
        "1 among the items alone (first: Droplets acme-web-01 (s-1vcpu-1gb))"
    )


def test_a_refusal_of_the_provider_is_reported(reference: Simulated) -> None:
    reference.fault(kind="forbidden", path="billing_history", count=0)
    assert "403" in refused("ingest_billing")


NONSENSE = (
    b"product,group_description,description,hours,start,end,USD,project_name,category\n"
    b"Droplets,,web (s),720,2026-04-01 00:00:00 +0000,2026-05-01 00:00:00 +0000,$6.00,acme,iaas\n"
    b"Droplets,,api (s),720,2026-04-01 00:00:00 +0000,2026-05-01 00:00:00 +0000,six dollars,acme,iaas\n"
)


@pytest.mark.processes
def test_a_nonsense_file_is_refused_by_row_column_and_value_and_changes_nothing(
    reference: Simulated, april: ProviderInvoice, tmp_path: Path, manage: Commands
) -> None:
    run("ingest_billing", "--invoice", april.invoice_uuid)
    before = rows()
    file = tmp_path / "nonsense.csv"
    file.write_bytes(NONSENSE)
    for options in ([], ["--invoice", april.invoice_uuid]):
        said = " ".join(ended(manage("ingest_billing", "--file", str(file), *options), status=1).split())
        assert "row 2 (line 3 of the file), column USD: 'six dollars' is no amount" in said
        assert "Traceback" not in said
    april.refresh_from_db()
    assert (rows(), april.ingest_status) == (before, "ingested")


def test_a_file_finds_its_invoice_by_month_and_total(
    reference: Simulated, april: ProviderInvoice, tmp_path: Path
) -> None:
    file = tmp_path / "invoice.csv"
    file.write_bytes(table_of(reference, april))
    assert "invoices: 1 ingested" in run("ingest_billing", "--file", str(file))
    april.refresh_from_db()
    assert (april.line_count, april.items_count) == (33, 33)
    file.write_bytes(table_of(reference, april).replace(b"$7.90", b"$7.91"))
    assert "no invoice of 2026-04 is over 86.93; name one with --invoice" in refused(
        "ingest_billing", "--file", str(file)
    )
    assert "No such file" in refused("ingest_billing", "--file", str(tmp_path / "none.csv"))


def test_a_file_of_another_month_is_refused_also_where_the_total_is_the_same(
    reference: Simulated, april: ProviderInvoice, tmp_path: Path
) -> None:
    """A fleet at its monthly price costs the same every month, and the provider isn't there to compare."""
    run("ingest_billing", "--invoice", april.invoice_uuid)
    before = rows()
    file = tmp_path / "invoice.csv"
    for april_there, may_there in ((b"2025-03", b"2025-04"), (b"2026-05", b"2026-06")):
        table = table_of(reference, april).replace(b"2026-05", may_there).replace(b"2026-04", april_there)
        file.write_bytes(table)
        reference.fault(kind="server_error", path="invoices/", count=0)
        said = refused("ingest_billing", "--file", str(file), "--invoice", april.invoice_uuid)
        assert "none of its lines is of 2026-04" in said
        reference.control("DELETE", "faults")
    assert rows() == before


def test_finance_that_is_down_fails_the_push_and_the_next_one_succeeds(
    april: ProviderInvoice, finance: SimulatedFinance
) -> None:
    run("ingest_billing", "--invoice", april.invoice_uuid)
    finance.fault("down", count=1)
    assert "(1 times)" in refused("push_finance")
    said = run("push_finance").strip()
    assert said.startswith(
        "nothing is due; 1 after a failed attempt, later by itself or with --force: finance: "
    )
    assert run("push_finance", "--invoice", april.invoice_uuid).strip() == "1 created"
    assert len(finance.invoices()) == 1


def test_where_pushing_is_switched_off_the_command_reports_it(db: None, settings: Settings) -> None:
    settings.SKYAI_FINANCE_ENABLED = False
    assert "switched off" in run("push_finance")
    (line,) = run_push(lambda _words: None)
    assert line.error == ""
