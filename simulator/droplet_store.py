"""Where an account's droplets are: the fleet's and the created ones held, the bulk computed."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from simulator.droplet import Droplet
from simulator.synthetic_droplets import FIRST_ID, SyntheticDroplets, droplet_id_at

FIRST_CREATED_ID: Final = 540_000_000
_REMEMBERED: Final = 1000  # deleted droplets, for lists that linger


class DropletStore:
    """Droplets by id. Lists ascend by id: the fleet, the bulk, what was created since."""

    def __init__(self, synthetic: SyntheticDroplets) -> None:
        self.synthetic = synthetic
        self.deleted: deque[Droplet] = deque(maxlen=_REMEMBERED)
        self._stored: dict[int, Droplet] = {}
        self._changed: dict[int, Droplet] = {}  # of the bulk, by index

    def __len__(self) -> int:
        return len(self._stored) + len(self.synthetic.remaining)

    def add(self, droplet: Droplet) -> None:
        self._stored[droplet.id] = droplet

    def get(self, droplet_id: int) -> Droplet | None:
        """The droplet, to look at: a change to one of the bulk would be lost, see `edit`."""
        held = self._stored.get(droplet_id)
        if held is not None:
            return held
        index = self.synthetic.find_index(droplet_id)
        return None if index is None else self.get_synthetic(index)

    def get_for_update(self, droplet_id: int) -> Droplet | None:
        """The droplet, to change."""
        held = self._stored.get(droplet_id)
        if held is not None:
            return held
        index = self.synthetic.find_index(droplet_id)
        return None if index is None else self._changed.setdefault(index, self.get_synthetic(index))

    def get_synthetic(self, index: int) -> Droplet:
        changed = self._changed.get(index)
        return changed if changed is not None else self.synthetic.make_droplet(index)

    def remove(self, droplet_id: int) -> None:
        droplet = self.get(droplet_id)
        if droplet is None:
            raise KeyError(droplet_id)
        self.deleted.append(droplet)
        if self._stored.pop(droplet_id, None) is None:
            index = self.synthetic.find_index(droplet_id)
            if index is not None:
                self._changed.pop(index, None)
                self.synthetic.remaining.discard(index)
                self.synthetic.in_first_project.discard(index)

    def id_at(self, place: int) -> int:
        """The id of that place among the held ones and the bulk, from 0."""
        held = list(self._stored)
        if place < len(held):
            return held[place]
        (index,) = self.synthetic.remaining.slice(place - len(held), place - len(held) + 1)
        return droplet_id_at(index)

    def fleet_ids(self) -> list[int]:
        return [droplet_id for droplet_id in self._stored if droplet_id < FIRST_ID]

    def created_ids(self) -> list[int]:
        return [droplet_id for droplet_id in self._stored if droplet_id >= FIRST_CREATED_ID]

    def find_stored(self, droplet_id: int) -> Droplet | None:
        """The droplet, if it is held apart from the bulk."""
        return self._stored.get(droplet_id)

    def iter_stored(self) -> Iterator[Droplet]:
        """All that isn't computed: fleet, created, changed bulk."""
        yield from self._stored.values()
        yield from self._changed.values()

    def sample_ids(self, count: int) -> list[int]:
        """The ids of so many droplets, evenly spread over all without a GPU; fewer if there are."""
        held = [droplet.id for droplet in self._stored.values() if not droplet.is_gpu]
        total = len(held) + len(self.synthetic.remaining)
        places = range(total) if count >= total else (number * total // count for number in range(count))
        synthetic = list(self.synthetic.remaining.slice(0, len(self.synthetic.remaining)))
        return [
            held[place] if place < len(held) else droplet_id_at(synthetic[place - len(held)])
            for place in places
        ]

    def ids_with_tag(self, tag: str) -> list[int]:
        """The ids, ascending, of those that carry `tag`, which is in lower case."""
        computed = [i for i in self.synthetic.indices_with_tag(tag) if i not in self._changed]
        found = [d.id for d in self.iter_stored() if any(own.lower() == tag for own in d.tags)]
        return sorted([*found, *map(droplet_id_at, computed)])

    def ids_with_name(self, name: str) -> list[int]:
        """The ids, ascending, of those of that name, whatever its case."""
        index = self.synthetic.find_index_by_name(name)
        found = [d.id for d in self.iter_stored() if d.name.lower() == name.lower()]
        if index is not None and index not in self._changed:
            found.append(droplet_id_at(index))
        return sorted(found)

    def tag_counts(self) -> dict[str, tuple[int, int]]:
        """Per tag: how many carry it, and the id of the last that does."""
        counts = {
            tag: (count, droplet_id_at(last))
            for tag, (count, last) in self.synthetic.tag_counts(self._changed).items()
        }
        for droplet in self.iter_stored():
            for tag in droplet.tags:
                count, last = counts.get(tag, (0, 0))
                counts[tag] = (count + 1, max(last, droplet.id))
        return counts
