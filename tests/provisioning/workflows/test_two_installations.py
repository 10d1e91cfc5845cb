"""Two installations on one account, under kills, restarts, flushes and faults: neither touches the other's.

Their databases are copies of one, so that sagas have the same numbers in both.
"""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from provisioning.engine.runner import run
from provisioning.services import unpause
from provisioning.states import ENDED
from tests.provisioning.weather import Weather, upheave
from tests.provisioning.workflows.cloud import PASSING, Cloud
from tests.provisioning.workflows.conftest import FailAfter
from tests.provisioning.workflows.installation_orders import (
    Machines,
    count_live,
    make_machines,
    orders_of,
    start_orders,
)
from tests.provisioning.workflows.installation_truths import Account, Orders, judge
from tests.provisioning.workflows.installations import Pair
from tests.simulated import AS_IT_STARTS, Simulated

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]
SPEED = 60.0  # a snapshot and a resize take a second each
MATRIX_ROUNDS = 8
EVERYDAY = {0, 1, 3, 4, 6, 8, 10}  # of a round's orders: each kind, and two that are rolled back
# What happens to which installation when so many of the sagas have ended.
UPHEAVALS = (
    (0.1, "flush", "a"),
    (0.2, "restart", "a"),
    (0.3, "flush", "b"),
    (0.5, "restart", "b"),
    (0.6, "flush", "a"),
    (0.7, "restart", "a"),
)


@pytest.fixture
def only_in_the_matrix(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--matrix"):
        pytest.skip("the everyday run has the test with equal numbers; bin/test --matrix has this one, too")


@pytest.fixture
def pair(simulator: Simulated, state_folder: Path, patient_broker: None) -> Iterator[Pair]:
    """Two installations of which the first is set up; the account has the default fleet."""
    simulator.reset(fleet="default", seed=1, droplets=0, today=None, speed=SPEED)
    with Cloud(simulator) as cloud:
        pair = Pair(state_folder, simulator, cloud)
        with pair.original as original:
            original.set_up()
            yield pair
    simulator.reset(**AS_IT_STARTS)


@pytest.fixture
def failing(fail_after: FailAfter) -> Callable[[str], str]:
    return lambda kind: fail_after(kind, 100)


def history_from_now_on(pair: Pair, machines: Machines) -> Account:
    """Begin the account's history, as far as its end is compared with it."""
    pair.cloud.before = pair.cloud.everything()
    pair.simulator.control("DELETE", "requests")
    return Account(pair, machines)


def machines_in_inventory(pair: Pair, rounds: int) -> Machines:
    machines = make_machines(pair, rounds)
    with pair.original.inside():
        pair.original.sync()
    return machines


def arm_faults(pair: Pair, probability: float) -> None:
    """Spoil this part of what both are answered, in every way that passes."""
    share = probability / len(PASSING)
    for installation in pair.both:
        for fault in PASSING.values():
            options = {
                **fault,
                "count": 0,
                "probability": share,
                "path": "^/v2/",
                "token": installation.token,
            }
            pair.simulator.fault(**options)


def wait_until_all_ended(
    pair: Pair,
    account: Account,
    orders: Orders,
    weathers: Sequence[Weather],
    upheavals: Sequence[tuple[float, str, str]],
    *,
    seconds: float,
) -> None:
    """Wait for the sagas, with the upheavals when so many of them have ended."""
    to_come, began, count = list(upheavals), time.monotonic(), sum(map(len, orders.values()))
    while live := sum(count_live(each, orders[each.name]) for each in pair.both):
        account.collect()
        assert [weather.error for weather in weathers] == [None, None]
        assert time.monotonic() - began < seconds, unended(orders)
        if to_come and 1 - live / count >= to_come[0][0]:
            _, what, name = to_come.pop(0)
            (struck,) = [each for each in pair.both if each.name == name]
            upheave(what, struck.postgres, struck.valkey)
        time.sleep(0.2)
    assert to_come == []


def unended(orders: Orders) -> str:
    return "\n".join(
        f"{name}: {order} is {order.saga.status}: {order.saga.wait_reason}"
        for name, own in orders.items()
        for order in own
        if order.saga.status not in ENDED
    )


def test_of_two_installations_on_one_account_neither_touches_what_the_other_made(
    pair: Pair,
    failing: Callable[[str], str],
    request: pytest.FixtureRequest,
    figures: Callable[[str], None],
) -> None:
    whole = request.config.getoption("--matrix")
    rounds = MATRIX_ROUNDS if whole else 1
    machines = machines_in_inventory(pair, rounds)
    account = history_from_now_on(pair, machines)
    pair.original.copy_database(pair.copy)
    with pair.copy:
        orders = {}
        for each in pair.both:
            wanted = enumerate(orders_of(each, machines, rounds))
            chosen = [order for number, order in wanted if whole or number in EVERYDAY]
            orders[each.name] = start_orders(each, chosen, failing)
        numbers = {tuple(order.saga.pk for order in own) for own in orders.values()}
        assert len(numbers) == 1, "the sagas' numbers differ"
        arm_faults(pair, 0.15 if whole else 0.08)
        began = time.monotonic()
        kills: dict[str, Any] = {} if whole else {"kill_every_seconds": 2.0, "most_deaths": 1}
        with pair.at_work(**kills) as weathers:
            upheavals = UPHEAVALS if whole else UPHEAVALS[:3]
            seconds = 900 if whole else 120
            wait_until_all_ended(pair, account, orders, weathers, upheavals, seconds=seconds)
        pair.simulator.control("DELETE", "faults")
        wrong = judge(pair, account, orders)
    figures(
        f"two installations: {sum(map(len, orders.values()))} sagas, "
        f"{sum(weather.deaths for weather in weathers)} workers killed, "
        f"{sum(len(account.writes_of(each)) for each in pair.both)} writes, "
        f"{time.monotonic() - began:.0f} seconds"
    )
    assert wrong == []
    assert all(weather.deaths for weather in weathers)


def test_a_copy_that_is_restored_beside_its_original_leaves_it_what_it_had_begun(
    only_in_the_matrix: None, pair: Pair, failing: Callable[[str], str]
) -> None:
    """The backup holds sagas that have begun; the copy works on what is its own, under other numbers."""
    machines = machines_in_inventory(pair, 1)
    account = history_from_now_on(pair, machines)
    begun = start_orders(pair.original, orders_of(pair.original, machines, 1), failing)
    with pair.original.inside():
        for order in begun:
            run(order.saga.pk)
    pair.original.copy_database(pair.copy)
    with pair.copy as copy:
        with copy.inside():
            call_command("restored_from_backup", "--copy", stdout=io.StringIO())
            unpause(actor="a test")
        orders = {
            pair.original.name: begun,
            copy.name: start_orders(copy, orders_of(copy, machines, 1), failing),
        }
        arm_faults(pair, 0.08)
        with pair.at_work() as weathers:
            wait_until_all_ended(pair, account, orders, weathers, UPHEAVALS[:2], seconds=180)
        pair.simulator.control("DELETE", "faults")
        wrong = judge(pair, account, orders)
    assert wrong == []
