"""Where an account's droplets are: the fleet's and the created ones held, the bulk computed."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from simulator.droplet import Droplet
from simulator.synthetic_droplets import FIRST_ID, Bulk, id_of

FIRST_CREATED_ID: Final = 540_000_000
_REMEMBERED: Final = 1000  # deleted droplets, for lists that linger


class DropletStore:
    """Droplets by id. Lists ascend by id: the fleet, the bulk, what was created since."""

    def __init__(self, bulk: Bulk) -> None:
        self.bulk = bulk
        self.deleted: deque[Droplet] = deque(maxlen=_REMEMBERED)
        self._held: dict[int, Droplet] = {}
        self._changed: dict[int, Droplet] = {}  # of the bulk, by index

    def __len__(self) -> int:
        return len(self._held) + len(self.bulk.alive)

    def add(self, droplet: Droplet) -> None:
        self._held[droplet.id] = droplet

    def get(self, droplet_id: int) -> Droplet | None:
        """The droplet, to look at: a change to one of the bulk would be lost, see `edit`."""
        held = self._held.get(droplet_id)
        if held is not None:
            return held
        index = self.bulk.index_of(droplet_id)
        return None if index is None else self.of_bulk(index)

    def edit(self, droplet_id: int) -> Droplet | None:
        """The droplet, to change."""
        held = self._held.get(droplet_id)
        if held is not None:
            return held
        index = self.bulk.index_of(droplet_id)
        return None if index is None else self._changed.setdefault(index, self.of_bulk(index))

    def of_bulk(self, index: int) -> Droplet:
        changed = self._changed.get(index)
        return changed if changed is not None else self.bulk.droplet(index)

    def remove(self, droplet_id: int) -> None:
        droplet = self.get(droplet_id)
        if droplet is None:
            raise KeyError(droplet_id)
        self.deleted.append(droplet)
        if self._held.pop(droplet_id, None) is None:
            index = self.bulk.index_of(droplet_id)
            if index is not None:
                self._changed.pop(index, None)
                self.bulk.alive.discard(index)
                self.bulk.at_home.discard(index)

    def at(self, place: int) -> int:
        """The id of that place among the held ones and the bulk, from 0."""
        held = list(self._held)
        if place < len(held):
            return held[place]
        (index,) = self.bulk.alive.cut(place - len(held), place - len(held) + 1)
        return id_of(index)

    def fleet(self) -> list[int]:
        return [droplet_id for droplet_id in self._held if droplet_id < FIRST_ID]

    def created(self) -> list[int]:
        return [droplet_id for droplet_id in self._held if droplet_id >= FIRST_CREATED_ID]

    def held_by(self, droplet_id: int) -> Droplet | None:
        """The droplet, if it is held apart from the bulk."""
        return self._held.get(droplet_id)

    def held(self) -> Iterator[Droplet]:
        """All that isn't computed: fleet, created, changed bulk."""
        yield from self._held.values()
        yield from self._changed.values()

    def spread(self, count: int) -> list[int]:
        """The ids of so many droplets, evenly spread over all without a GPU; fewer if there are."""
        held = [droplet.id for droplet in self._held.values() if not droplet.is_gpu]
        total = len(held) + len(self.bulk.alive)
        places = range(total) if count >= total else (number * total // count for number in range(count))
        bulk = list(self.bulk.alive.cut(0, len(self.bulk.alive)))
        return [held[place] if place < len(held) else id_of(bulk[place - len(held)]) for place in places]

    def tagged(self, tag: str) -> list[int]:
        """The ids, ascending, of those that carry `tag`, which is in lower case."""
        computed = [i for i in self.bulk.tagged(tag) if i not in self._changed]
        found = [d.id for d in self.held() if any(own.lower() == tag for own in d.tags)]
        return sorted([*found, *map(id_of, computed)])

    def named(self, name: str) -> list[int]:
        """The ids, ascending, of those of that name, whatever its case."""
        index = self.bulk.index_named(name)
        found = [d.id for d in self.held() if d.name.lower() == name.lower()]
        if index is not None and index not in self._changed:
            found.append(id_of(index))
        return sorted(found)

    def tag_counts(self) -> dict[str, tuple[int, int]]:
        """Per tag: how many carry it, and the id of the last that does."""
        counts = {
            tag: (count, id_of(last)) for tag, (count, last) in self.bulk.tag_counts(self._changed).items()
        }
        for droplet in self.held():
            for tag in droplet.tags:
                count, last = counts.get(tag, (0, 0))
                counts[tag] = (count + 1, max(last, droplet.id))
        return counts
