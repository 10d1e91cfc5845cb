"""The reading of a list in parts, while it moves."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from arcadia_cloud.digitalocean.account_check import account_checks
from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from arcadia_cloud.digitalocean.records import DomainRecord
from inventory.sync.paging import CountMismatch, read_pages
from inventory.sync.readings import Position, ReadingInterrupted
from inventory.sync.run_records import Progress
from tests.digitalocean.provider import Reply, Seen, provider

LIST = Listing("/v2/domains", "domains", DomainRecord, per_page=10)
CALLS = 6  # sixty items


class MovingList:
    """A provider's list of names, by a client that may be asked for its pages."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def answer(self, seen: Seen) -> Reply:
        page, size = int(seen.query["page"]), int(seen.query["per_page"])
        rows = [{"name": name, "ttl": 60} for name in self.names[(page - 1) * size : page * size]]
        links = {"pages": {"next": f"https://elsewhere.example/?page={page + 1}"}}
        is_last = page * size >= len(self.names)
        return Reply(
            body={"domains": rows, "links": {} if is_last else links, "meta": {"total": len(self.names)}}
        )


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def read(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read so many pages at most from a place on; return the names that came."""
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "ab" * 32)
    monkeypatch.setattr(account_checks, "check", None)

    def read_some(there: MovingList, place: Position, calls: int) -> list[str]:
        server = opened.enter_context(provider(there.answer))
        cloud = opened.enter_context(DigitalOcean(base_url=server.url, budget=UnlimitedBudget(), timeout=5.0))
        progress = Progress(allowed_calls=calls, is_interruptible=True)
        found: list[str] = []
        for page in read_pages(cloud, LIST, progress=progress, position=place):
            found += [record.name for record in page.items]
        return found

    return read_some


def names(first: int, count: int) -> list[str]:
    return [f"zone-{number:04}.example" for number in range(first, first + count)]


OLD = names(1000, 130)
CHANGES = {
    "nothing": OLD,
    "a page and a half deleted in front": OLD[15:],
    "one deleted in front": OLD[1:],
    "all of the last page deleted": OLD[:50] + OLD[60:],
    "everything in front deleted": OLD[60:],
    "a page and a half added in front": names(0, 15) + OLD,
    "more added in front than are looked at": names(0, 190) + OLD,
    "deleted and added in front": names(0, 7) + OLD[7:],
    "deleted behind": OLD[:-40],
    "added behind": OLD + names(2000, 40),
    "cut to a page": OLD[:5],
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_moves_meanwhile_nothing_that_stays_is_passed_over(read: Any, change: str) -> None:
    there, place = MovingList(OLD), Position()
    with pytest.raises(ReadingInterrupted):
        read(there, place, CALLS)
    assert (place.offset, len(place.distinct)) == (60, 60)
    there.names = CHANGES[change]
    place.is_resumed = True
    found = read(there, place, 1000)
    assert set(OLD).intersection(there.names) <= {*OLD[:60], *found}


def test_a_reading_that_is_taken_up_again_and_again_ends(read: Any) -> None:
    there, place = MovingList(list(OLD)), Position()
    found: set[str] = set()
    for turn in range(60):
        place.is_resumed = place.offset > 0
        try:
            found.update(read(there, place, 3))
            break
        except ReadingInterrupted:
            there.names = [*names(5000 + 10 * turn, 3), *there.names[2:]]
    else:
        pytest.fail("it never came to its end")


def test_a_resumed_reading_that_lacks_items_looks_for_them_from_the_top_and_stops_once_it_has_them(
    read: Any,
) -> None:
    there, place = MovingList(OLD), Position()
    with pytest.raises(ReadingInterrupted):
        read(there, place, CALLS)
    there.names = names(0, 5) + OLD
    place.is_resumed = True
    found = read(there, place, 1000)
    assert found[-10:] == names(0, 5) + OLD[:5], "the first page had what was missing"


def test_a_count_that_is_never_reached_fails(read: Any) -> None:
    there, place = MovingList([*OLD, OLD[0]]), Position()
    with pytest.raises(CountMismatch, match="gave 130 distinct items, but counts 131"):
        read(there, place, 1000)
    place = Position()
    with pytest.raises(ReadingInterrupted):
        read(there, place, CALLS)
    place.is_resumed = True
    with pytest.raises(CountMismatch, match="gave 130 distinct items, but counts 131"):
        read(there, place, 1000)
