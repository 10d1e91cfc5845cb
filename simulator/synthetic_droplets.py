"""The droplets of `--droplets N`, computed from (seed, index) on request and never stored.

Only the deleted ones are stored, as sorted indices; the droplet store has those that were changed. The index
follows from the id and from the name, and ids ascend with it. Tags repeat by the index, so that a tag's
droplets are found without computing any.
"""

from bisect import bisect_left, insort
from collections.abc import Container, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from simulator.catalog import IMAGE_IDS
from simulator.droplet import Droplet, default_vpc

FIRST_ID: Final = 510_000_000
_ID_STEP: Final = 7
_ROLES: Final = ("web", "api", "db", "worker", "cache")
# Repeated by their share of a usual fleet, as are sizes and images.
_ENVIRONMENTS: Final = ("production", "production", "staging")
_TENANTS: Final = 100
_CYCLE: Final = len(_ROLES) * len(_ENVIRONMENTS) * _TENANTS  # indices so far apart have the same tags
_SIZES: Final = (
    "s-1vcpu-1gb", "s-1vcpu-1gb", "s-1vcpu-2gb", "s-1vcpu-2gb", "s-2vcpu-2gb", "s-2vcpu-4gb", "s-2vcpu-4gb",
    "s-4vcpu-8gb", "s-8vcpu-16gb", "s-2vcpu-4gb-amd", "s-1vcpu-2gb-intel", "g-2vcpu-8gb", "c-2",
    "m-2vcpu-16gb",
)  # fmt: skip
_REGIONS: Final = ("nyc3", "nyc1", "fra1", "ams3", "sfo3", "sgp1", "lon1", "tor1", "blr1", "syd1")
_IMAGES: Final = ("ubuntu-24-04-x64", "ubuntu-22-04-x64", "ubuntu-22-04-x64", "debian-12-x64")
_WORD_MASK: Final = (1 << 64) - 1
MAX_COUNT: Final = 100_000


def _mix_bits(value: int) -> int:
    """Hash `value` to 64 bits by splitmix64's finaliser."""
    value = (value + 0x9E3779B97F4A7C15) & _WORD_MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD_MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD_MASK
    return value ^ (value >> 31)


class RemainingIndices:
    """The indices below `count` that weren't taken out, as a sequence that can be sliced anywhere."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._missing: list[int] = []

    def __len__(self) -> int:
        return self.count - len(self._missing)

    def __contains__(self, index: int) -> bool:
        at = bisect_left(self._missing, index)
        return 0 <= index < self.count and not (at < len(self._missing) and self._missing[at] == index)

    def discard(self, index: int) -> None:
        if index in self:
            insort(self._missing, index)

    def restore(self, index: int) -> None:
        at = bisect_left(self._missing, index)
        if at < len(self._missing) and self._missing[at] == index:
            del self._missing[at]

    def slice(self, start: int, stop: int) -> Iterator[int]:
        """Yield the remaining indices number `start` to `stop`, exclusive."""
        # Find by bisection how many of the missing come before index number `start`: the last page costs no
        # more than the first.
        low, high = 0, len(self._missing)
        while low < high:
            middle = (low + high) // 2
            if self._missing[middle] - middle <= start:
                low = middle + 1
            else:
                high = middle
        index, left = start + low, min(stop, len(self)) - start
        while left > 0:
            if low < len(self._missing) and self._missing[low] == index:
                low += 1
            else:
                yield index
                left -= 1
            index += 1


class SyntheticDroplets:
    def __init__(self, *, seed: int, count: int, newest: date, team: str) -> None:
        """Raise ValueError on too many. `newest` is the last day on which one of them was created."""
        if not 0 <= count <= MAX_COUNT:
            raise ValueError(f"between 0 and {MAX_COUNT} droplets, not {count}")
        self.count = count
        self.remaining = RemainingIndices(count)
        self.in_first_project = RemainingIndices(count)  # and never moved out of it
        self.deleted_tags: set[str] = set()
        self._salt = _mix_bits(seed)
        self._newest = datetime.combine(newest, time_of_day(), UTC)
        self._vpcs = {region: default_vpc(team, region) for region in _REGIONS}

    def find_index(self, droplet_id: int) -> int | None:
        """Return the index of the droplet with that id, or None if there is none now."""
        index, rest = divmod(droplet_id - FIRST_ID, _ID_STEP)
        return index if rest == 0 and index in self.remaining else None

    def find_index_by_name(self, name: str) -> int | None:
        number = name.rpartition("-")[2]
        # The number in the name is the index: no other droplet need be computed to find it.
        index = int(number) if number.isdecimal() else -1
        return index if index in self.remaining and _name(index) == name.lower() else None

    def make_droplet(self, index: int) -> Droplet:
        # Each property takes bits of its own of one hash, so that none follows from another.
        bits = _mix_bits(self._salt ^ index)
        region = _REGIONS[bits % len(_REGIONS)]
        return Droplet(
            id=droplet_id_at(index),
            name=_name(index),
            size=_SIZES[(bits >> 8) % len(_SIZES)],
            region=region,
            image=IMAGE_IDS[_IMAGES[(bits >> 16) % len(_IMAGES)]],
            created_at=self._newest - timedelta(seconds=(bits >> 24) % (700 * 86400)),
            address=index,
            tags=self._tags(index),
            status="off" if (bits >> 56) % 50 == 0 else "active",
            ipv6=(bits >> 60) % 4 == 0,
            vpc_uuid=self._vpcs[region],
        )

    def invoice_description(self, index: int) -> str:
        """Return `name (size)` as at the start, the description of its invoice lines."""
        return f"{_name(index)} ({_SIZES[(_mix_bits(self._salt ^ index) >> 8) % len(_SIZES)]})"

    def indices_with_tag(self, tag: str) -> list[int]:
        """Return the indices that have `tag` (in lower case) from the start."""
        if tag in self.deleted_tags:
            return []
        step, turns, values = _tag_cycle(tag)
        if not values:
            return []
        return [i for i in self.remaining.slice(0, len(self.remaining)) if i // step % turns in values]

    def list_tags(self) -> list[str]:
        """Return every tag that one of them may have."""
        if not self.remaining.count:
            return []
        tenants = (f"tenant:bulk-{number:02d}" for number in range(_TENANTS))
        known = (
            "bulk",
            *(f"role:{role}" for role in _ROLES),
            *(f"env:{e}" for e in set(_ENVIRONMENTS)),
            *tenants,
        )
        return [tag for tag in known if tag not in self.deleted_tags]

    def tag_counts(self, without: Container[int]) -> dict[str, tuple[int, int]]:
        """Return by tag how many had it at the start, and the last index, leaving out those in `without`."""
        # Counted by their place in the cycle: tags are made for 1,500 places instead of for 100,000 droplets.
        alike, last = [0] * _CYCLE, [-1] * _CYCLE
        for index in self.remaining.slice(0, len(self.remaining)):
            if index not in without:
                alike[index % _CYCLE] += 1
                last[index % _CYCLE] = index
        counts: dict[str, tuple[int, int]] = {}
        for place, number in enumerate(alike):
            for tag in self._tags(place) if number else ():
                before, latest = counts.get(tag, (0, -1))
                counts[tag] = (before + number, max(latest, last[place]))
        return counts

    def _tags(self, index: int) -> list[str]:
        tags = [
            "bulk",
            f"role:{_ROLES[index % len(_ROLES)]}",
            f"env:{_ENVIRONMENTS[index // 5 % len(_ENVIRONMENTS)]}",
            f"tenant:bulk-{index // 15 % _TENANTS:02d}",
        ]
        return [tag for tag in tags if tag not in self.deleted_tags] if self.deleted_tags else tags


def droplet_id_at(index: int) -> int:
    return FIRST_ID + index * _ID_STEP


def _name(index: int) -> str:
    return f"{_ROLES[index % len(_ROLES)]}-{index:06d}"


def _tag_cycle(tag: str) -> tuple[int, int, frozenset[int]]:
    """Return (step, turns, values): the indices i with i // step % turns in values have the tag."""
    key, _, value = tag.partition(":")
    match key:
        case "bulk" if not value:
            return 1, 1, frozenset({0})
        case "role":
            return 1, len(_ROLES), frozenset(n for n, role in enumerate(_ROLES) if role == value)
        case "env":
            return 5, len(_ENVIRONMENTS), frozenset(n for n, env in enumerate(_ENVIRONMENTS) if env == value)
        case "tenant" if value.startswith("bulk-") and value[5:].isdecimal():
            return 15, _TENANTS, frozenset({int(value[5:])})
    return 1, 1, frozenset()
