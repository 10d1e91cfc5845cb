"""Price simulations at the edges: the API, the console, the command, and workers that die in the middle."""

import csv
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any, Final

import psutil
import psycopg
import pytest
import redis
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from arcadia_cloud.kernel.models import Lease
from arcadia_cloud.kernel.periods import previous_month
from arcadia_cloud.kernel.queue.nudge import publish_now
from billing import tasks
from billing.models import PlanSimulation, PlanSimulationRow
from billing.services import request_plan_simulation, run_simulation, sweep_simulations
from catalog.models import PlanVersion
from catalog.services import create_draft_from
from deployments.models import SubscriptionVersion
from tests.access import bearer, token_of
from tests.billing.simulations import JULY_2, simulated, used
from tests.billing.test_console import queued
from tests.console.conftest import Login, login
from tests.console.rows import queries_of
from tests.deployments.rows import BY, noon, on_sale, subscribed
from tests.kernel.threads import at_once
from tests.processes import Workers
from tests.processes import test_database_url as database_url

__all__ = ["login"]  # the fixture of the console's tests

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR: Final = bearer(token_of("platform_admin"))
_WAITING: Final = (
    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%plan_simulation_rows%' AND wait_event_type = 'Lock'"
)


@pytest.fixture
def cheaper() -> PlanVersion:
    """A draft at 45.00, beside a version at 50.00 that two tenants were on all of last month, by today."""
    first = on_sale("studio", 5000, spaces_gb_month=100)
    since = previous_month(timezone.now()).starts_at
    for slug in ("shop", "blog"):
        subscription = subscribed("studio", slug=slug, at=since)
        used(subscription, "spaces_gb_month", "90", day=since.date())
    version = create_draft_from(version_pk=first.pk, actor=BY)
    version.base_price_cents = 4500
    version.save()
    return version


def post(version: PlanVersion, body: Any = None, **headers: str) -> Any:
    return Client().post(
        f"/api/v1/catalog/plan-versions/{version.pk}/simulate",
        body or {},
        content_type="application/json",
        headers={**OPERATOR, **headers},
    )


def test_a_simulation_is_asked_for_and_read_by_the_api(
    cheaper: PlanVersion, valkey_client: redis.Redis
) -> None:
    valkey_client.flushdb()
    asked = post(cheaper)
    body = asked.json()
    assert (asked.status_code, body["status"], body["month_count"]) == (202, "queued", 1)
    assert asked.headers["Location"] == f"/api/v1/catalog/simulations/{body['id']}"
    assert [name for name, _ in queued(valkey_client)] == ["billing.simulate_plan"]
    assert tasks.simulate_plan(body["id"]) == {"simulation": body["id"], "status": "completed"}
    result = Client().get(asked.headers["Location"], headers=OPERATOR).json()
    assert (result["status"], result["pay_less"], result["cost"]) == ("completed", 2, None)
    assert (result["revenue_now"], result["revenue_then"], result["difference"]) == (
        "100.00", "90.00", "-10.00",
    )  # fmt: skip
    [tenant] = result["tenants"]
    assert (tenant["tenant_id"], tenant["difference"]) == ("acme", "-10.00")
    assert [row["difference"] for row in result["rows"]] == ["-5.00", "-5.00"]


def test_a_repeated_key_has_one_simulation(cheaper: PlanVersion) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = (post(cheaper, {"months": 2}, **key) for _ in range(2))
    assert first.json() == second.json()
    assert PlanSimulation.objects.count() == 1
    assert post(cheaper, {"months": 3}, **key).status_code == 409


@pytest.mark.parametrize("months", [0, 13, "x", None])
def test_months_that_are_none_are_refused_by_name(cheaper: PlanVersion, months: Any) -> None:
    answer = post(cheaper, {"months": months})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["months"])


def test_only_operators_simulate(cheaper: PlanVersion) -> None:
    assert post(cheaper, **bearer(token_of("member", tenant="acme"))).status_code == 403


def test_two_requests_at_once_are_one_simulation(cheaper: PlanVersion) -> None:
    found = at_once(
        2, lambda: request_plan_simulation(version_pk=cheaper.pk, months=1, actor=BY, at=timezone.now()).pk
    )
    assert len(set(found)) == 1


def test_two_drafts_are_simulated_at_once_and_each_has_its_rows(cheaper: PlanVersion) -> None:
    other = create_draft_from(version_pk=cheaper.pk, actor=BY)
    PlanVersion.objects.filter(pk=other.pk).update(base_price_cents=6000)
    pks = iter(
        request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=timezone.now()).pk
        for version in (cheaper, other)
    )
    keys = list(pks)
    remaining = iter(keys)
    at_once(2, lambda: run_simulation(simulation_pk=next(remaining)))
    found = PlanSimulation.objects.in_bulk(keys)
    assert [found[pk].difference for pk in keys] == [-10, 20]


def test_the_command_runs_it_and_prints_the_differences(cheaper: PlanVersion) -> None:
    output = StringIO()
    call_command("simulate_plan", "studio", stdout=output)
    said = output.getvalue()
    assert "studio/2 over 1 month: 2 months of 2 subscribers, 0 incomplete ones left out" in said
    assert "revenue AUD 100.00 -> AUD 90.00, margin" in said
    assert "0 pay more, 2 pay less, 0 cross into overage" in said
    assert "acme: AUD 100.00 -> AUD 90.00 (-AUD 10.00)" in said


def test_the_command_says_that_nobody_had_a_complete_month(cheaper: PlanVersion) -> None:
    SubscriptionVersion.objects.update(starts_on=timezone.now().date().replace(day=1))
    output = StringIO()
    call_command("simulate_plan", "studio", stdout=output)
    assert "no subscriber had a complete month: who would pay more isn't known" in output.getvalue()
    assert "pay less" not in output.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pro",), "there is no such version of a plan pro"),
        (("studio", "--number", "9"), "no such version"),
        (("studio", "--months", "13"), "13 months can't be simulated"),
    ],
)
def test_the_command_refuses_by_name(cheaper: PlanVersion, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("simulate_plan", *arguments)


class TestConsole:
    """The version's page asks for a simulation, its own page and the publication show what came of it."""

    @pytest.fixture
    def pricing(self, login: Login) -> Client:
        return login("billing")

    def test_a_simulation_is_asked_for_and_shown(self, pricing: Client, cheaper: PlanVersion) -> None:
        page = f"/admin/catalog/planversion/{cheaper.pk}"
        assert "It was never simulated" in pricing.get(f"{page}/change/").content.decode()
        asked = pricing.post(f"/admin/billing/plansimulation/simulate/{cheaper.pk}/", {"months": "1"})
        simulation = PlanSimulation.objects.get()
        address = f"/admin/billing/plansimulation/{simulation.pk}/change/"
        assert (asked.status_code, asked.headers["Location"]) == (302, address)
        assert 'hx-trigger="every 3s"' in pricing.get(address).content.decode()
        run_simulation(simulation_pk=simulation.pk)
        text = pricing.get(address).content.decode()
        assert 'hx-trigger="every 3s"' not in text
        assert text.index("-AUD 10.00") < text.index("-AUD 5.00")
        shown = " ".join(pricing.get(f"{page}/publish/").content.decode().split())
        assert '<strong class="text-important">2</strong> pay less' in shown
        assert "publish-note" not in shown

    def test_the_publication_asks_for_a_note_where_no_simulation_speaks_for_it(
        self, pricing: Client, cheaper: PlanVersion
    ) -> None:
        address = f"/admin/catalog/planversion/{cheaper.pk}/publish/"
        first = PlanVersion.objects.get(number=1)
        text = pricing.get(address).content.decode()
        assert "The draft was never simulated." in text
        assert 'id="publish-note"' in text
        refused = pricing.post(address, {"replaces": first.pk})
        assert refused.status_code == 409
        assert "Not published: the draft was never simulated" in refused.content.decode()
        done = pricing.post(address, {"replaces": first.pk, "note": "agreed with both"})
        assert done.status_code == 302
        assert "agreed with both" in pricing.get(done.headers["Location"]).content.decode()

    @pytest.mark.parametrize("months", ["0", "13", "x", ""])
    def test_months_that_are_none_ask_for_nothing(
        self, pricing: Client, cheaper: PlanVersion, months: str
    ) -> None:
        answer = pricing.post(
            f"/admin/billing/plansimulation/simulate/{cheaper.pk}/", {"months": months}, follow=True
        )
        assert "The months must be from 1 to 12." in answer.content.decode()
        assert not PlanSimulation.objects.exists()

    @pytest.mark.parametrize("group", ["viewer", "operator"])
    def test_who_does_not_keep_the_catalog_reads_and_asks_for_none(
        self, login: Login, cheaper: PlanVersion, group: str
    ) -> None:
        client = login(group)
        address = f"/admin/billing/plansimulation/simulate/{cheaper.pk}/"
        assert client.post(address, {"months": "1"}).status_code == 403
        assert client.get(address).status_code == 403
        text = client.get(f"/admin/catalog/planversion/{cheaper.pk}/change/").content.decode()
        assert "Price simulation" in text
        assert address not in text

    def test_all_rows_are_a_file_the_largest_differences_first(
        self, pricing: Client, cheaper: PlanVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("arcadia_cloud.kernel.api.downloads._ROWS_A_PAGE", 2)
        for number in range(5):
            subscription = subscribed(
                "studio", slug=f"app-{number}", at=previous_month(timezone.now()).starts_at
            )
            used(
                subscription, "spaces_gb_month", f"{100 + number}",
                day=previous_month(timezone.now()).start,
            )  # fmt: skip
        cheaper.items.update(overage_price_cents=300)
        simulation = simulated(cheaper, at=timezone.now())
        answer: Any = pricing.get(f"/admin/billing/plansimulation/{simulation.pk}/rows/")
        rows = list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="simulation-{simulation.pk}-studio-2.csv"'
        )
        sizes = [abs(float(row["difference"])) for row in rows]
        assert sizes == sorted(sizes, reverse=True)
        assert len({row["row"] for row in rows}) == 7
        assert {row["difference"] for row in rows} == {"-5.00", "-3.00", "-1.00", "1.00", "3.00"}

    def test_its_page_asks_as_many_queries_among_many_rows_as_among_few(
        self, pricing: Client, cheaper: PlanVersion
    ) -> None:
        address = f"/admin/billing/plansimulation/{simulated(cheaper, at=timezone.now()).pk}/change/"
        few = len(queries_of(pricing, address))
        for number in range(10):
            subscribed("studio", slug=f"app-{number}", at=previous_month(timezone.now()).starts_at)
        address = f"/admin/billing/plansimulation/{simulated(cheaper, at=timezone.now()).pk}/change/"
        assert len(queries_of(pricing, address)) == few

    def test_a_draft_with_simulations_is_deleted_and_they_stay(
        self, pricing: Client, cheaper: PlanVersion
    ) -> None:
        simulated(cheaper)
        page = f"/admin/catalog/planversion/{cheaper.pk}/delete/"
        assert pricing.post(page, {"post": "yes"}).status_code == 302
        assert PlanSimulation.objects.get().plan_version is None


@pytest.fixture
def rows_locked() -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Nothing can be written to a simulation's rows, as if its batches took long."""
    with (
        psycopg.connect(database_url()) as holder,
        psycopg.connect(database_url(), autocommit=True) as watcher,
    ):
        holder.execute("LOCK TABLE plan_simulation_rows IN SHARE MODE")
        yield holder, watcher


def until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


@pytest.mark.processes
@pytest.mark.timeout(240)
def test_a_worker_that_is_killed_in_the_middle_leaves_a_simulation_that_ends(
    worker: Workers, cheaper: PlanVersion, rows_locked: tuple[psycopg.Connection, psycopg.Connection]
) -> None:
    asked = request_plan_simulation(
        version_pk=cheaper.pk, months=1, actor=BY, at=timezone.now(), enqueue=False
    )
    holder, watcher = rows_locked
    child = worker("cloud_billing")
    publish_now("billing.simulate_plan", queue="cloud_billing", simulation_pk=asked.pk)
    [backend] = until(lambda: watcher.execute(_WAITING).fetchone(), "nothing was simulated")
    for process in psutil.Process(child.process.pid).children(recursive=True):
        process.kill()
    child.process.kill()
    child.process.wait(5)
    watcher.execute("SELECT pg_terminate_backend(%s)", [backend])
    asked.refresh_from_db()
    assert (asked.status, asked.attempts) == ("running", 1)
    assert sweep_simulations() == 0, "its lease runs for a minute yet"
    Lease.objects.all().delete()  # it runs out by itself

    holder.rollback()
    worker("cloud_billing")
    assert sweep_simulations() == 1
    until(
        lambda: not PlanSimulation.objects.get(pk=asked.pk).is_unfinished,
        "the simulation never ended",
    )
    asked.refresh_from_db()
    assert (asked.status, asked.attempts) == ("completed", 2)
    assert asked.difference == Decimal("-10.00")
    assert PlanSimulationRow.objects.count() == 2


def test_a_simulation_of_last_june_is_of_june(cheaper: PlanVersion) -> None:
    assert (
        noon(1, 6).date()
        == request_plan_simulation(version_pk=cheaper.pk, months=1, actor=BY, at=JULY_2).first_month
    )
