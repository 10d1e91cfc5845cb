"""100,000 droplets: the same each time, quickly, and in flat memory."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
import psutil
import pytest
import requests

from simulator.bulk import Survivors
from simulator.server import serve
from simulator.world import DEFAULT_TOKEN, World
from tests.simulator.api import Api, Json
from tests.simulator.test_process import started

MANY = 100_000
T = TypeVar("T")


def walked(api: Api, path: str, key: str, pick: Callable[[Json], T]) -> list[T]:
    """What `pick` takes of every item of a list, its pages read to the end."""
    found: list[T] = []
    page, last = 1, 1
    while page <= last:
        body = msgspec.json.decode(api.ask("GET", f"{path}?per_page=200&page={page}").content)
        found += map(pick, body[key])
        last = max(last, -(-body["meta"]["total"] // 200))
        page += 1
    return found


def addresses(droplet: Json) -> tuple[int, str, str]:
    private, public = (network["ip_address"] for network in droplet["networks"]["v4"])
    return droplet["id"], private, public


@pytest.fixture(scope="module")
def many() -> Iterator[Api]:
    """In a process of its own: sharing the interpreter would slow both sides by half."""
    with started("--droplets", str(MANY)) as process:
        try:
            assert process.stdout is not None
            with Api(process.stdout.readline().split()[-1]) as api:
                yield api
        finally:
            process.kill()


def test_every_droplet_is_listed_once_by_ascending_id_and_found_by_its_id(many: Api) -> None:
    ids, private, public = zip(*walked(many, "/v2/droplets", "droplets", addresses), strict=True)
    assert len(ids) == MANY + 12
    assert list(ids) == sorted(set(ids))
    assert len({*private, *public}) == 2 * len(ids)
    for droplet in many.get("/v2/droplets?per_page=20&page=2345")["droplets"]:
        assert many.get(f"/v2/droplets/{droplet['id']}")["droplet"] == droplet
        assert many.get(f"/v2/droplets?name={droplet['name']}")["droplets"] == [droplet]


def test_the_default_project_lists_them_all(many: Api) -> None:
    urns = walked(many, "/v2/projects/default/resources", "resources", itemgetter("urn"))
    assert len(urns) == len(set(urns)) == MANY + 2


def test_a_tag_lists_what_it_counts(many: Api) -> None:
    for tag in ("bulk", "role:db", "env:staging", "tenant:bulk-42"):
        count = many.get(f"/v2/tags/{tag}")["tag"]["resources"]["droplets"]["count"]
        body = many.get(f"/v2/droplets?tag_name={tag}&per_page=200")
        assert body["meta"]["total"] == count > 600
        assert all(tag in droplet["tags"] for droplet in body["droplets"])


def test_a_page_of_200_is_made_quickly_wherever_it_is(many: Api) -> None:
    """10 ms is aimed at, and 40 refused: a busy machine is no reason to fail."""
    for page in (1, 250, 500):
        seconds = []
        for _ in range(9):
            before = time.perf_counter()
            many.ask("GET", f"/v2/droplets?per_page=200&page={page}")
            seconds.append(time.perf_counter() - before)
        assert statistics.median(seconds) < 0.040


def test_reading_all_of_them_takes_no_memory_that_stays() -> None:
    with started("--droplets", str(MANY)) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            memory = psutil.Process(process.pid).memory_info
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"
                session.get(f"{url}/v2/droplets?per_page=200", timeout=20)
                before = memory().rss
                for page in range(1, 502):
                    session.get(f"{url}/v2/droplets?per_page=200&page={page}", timeout=20)
                assert memory().rss - before < 20_000_000
            assert before < 120_000_000
        finally:
            process.kill()


@pytest.mark.parametrize(
    "path", ["/v2/droplets?per_page=200&page=3", "/v2/projects", "/v2/account", "/v2/tags"]
)
def test_the_seed_alone_decides(path: str) -> None:
    def answer(seed: int) -> Any:
        with serve(World(droplets=1000, seed=seed)) as url, Api(url) as api:
            return api.get(path)

    assert answer(1) == answer(1)
    assert path == "/v2/tags" or answer(1) != answer(2)


def test_what_survives_is_cut_anywhere() -> None:
    """Against a plain list, through a thousand random removals and returns."""
    chance, survivors, plain = random.Random(3), Survivors(300), list(range(300))
    for _ in range(1000):
        index = chance.randrange(300)
        if chance.random() < 0.6:
            survivors.discard(index)
            plain = [each for each in plain if each != index]
        else:
            survivors.restore(index)
            plain = sorted({*plain, index})
        start = chance.randrange(310)
        stop = start + chance.randrange(50)
        assert list(survivors.cut(start, stop)) == plain[start:stop]
        assert len(survivors) == len(plain)
        assert (index in survivors) == (index in plain)


def test_deletions_and_changes_show_in_every_list() -> None:
    with serve(World(droplets=1000)) as url, Api(url) as api:
        names = api.names()
        gone = [510_000_000 + index * 7 for index in (0, 1, 500, 999)]
        for droplet in gone:
            api.delete(f"/v2/droplets/{droplet}")
        api.patch("/_control/droplets/510003493", {"name": "changed", "tags": ["role:none"]})
        left = api.names()
        assert len(left) == len(names) - 4
        assert sorted(set(names) - set(left)) == sorted(
            ["web-000000", "api-000001", "web-000500", "cache-000999", "cache-000499"]
        )
        assert set(left) - set(names) == {"changed"}
        assert api.get("/v2/projects/default/resources")["meta"]["total"] == 1002 - 4
        assert "changed" not in api.names("/v2/droplets?tag_name=role:cache")
        assert api.get("/v2/tags/role:cache")["tag"]["resources"]["count"] == 198
        assert api.names("/v2/droplets?tag_name=role:none") == ["changed"]
