"""The droplets of an account: its fleet's and the created ones, stored, and the synthetic ones, computed."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from simulator.droplet import Droplet
from simulator.synthetic_droplets import FIRST_ID, SyntheticDroplets, droplet_id_at

FIRST_CREATED_ID: Final = 540_000_000
_MAX_DELETED: Final = 1000  # kept for the fault `deleted_linger`


class DropletStore:
    """Droplets by id. Lists ascend by id: the fleet, the synthetic ones, those created since."""

    def __init__(self, synthetic: SyntheticDroplets) -> None:
        self.synthetic = synthetic
        self.deleted: deque[Droplet] = deque(maxlen=_MAX_DELETED)
        self._stored: dict[int, Droplet] = {}
        self._changed: dict[int, Droplet] = {}  # synthetic ones, by index

    def __len__(self) -> int:
        return len(self._stored) + len(self.synthetic.remaining)

    def add(self, droplet: Droplet) -> None:
        self._stored[droplet.id] = droplet

    def get(self, droplet_id: int) -> Droplet | None:
        """Return the droplet, to read: a change to a synthetic one is lost, see `get_for_update`."""
        held = self._stored.get(droplet_id)
        if held is not None:
            return held
        index = self.synthetic.find_index(droplet_id)
        return None if index is None else self.get_synthetic(index)

    def get_for_update(self, droplet_id: int) -> Droplet | None:
        """Return the droplet, to change it; from now on it is stored."""
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
        # Before it leaves the store: a synthetic one that was changed could not be computed afterwards.
        self.deleted.append(droplet)
        if self._stored.pop(droplet_id, None) is None:
            index = self.synthetic.find_index(droplet_id)
            if index is not None:
                self._changed.pop(index, None)
                self.synthetic.remaining.discard(index)
                self.synthetic.in_first_project.discard(index)

    def id_at(self, position: int) -> int:
        """Return the id at that position, from 0: first the stored ones, then the synthetic ones."""
        stored = list(self._stored)
        if position < len(stored):
            return stored[position]
        (index,) = self.synthetic.remaining.slice(position - len(stored), position - len(stored) + 1)
        return droplet_id_at(index)

    # The ids of synthetic droplets lie between the fleet's and the created ones', so that lists ascend by id.
    def fleet_ids(self) -> list[int]:
        return [droplet_id for droplet_id in self._stored if droplet_id < FIRST_ID]

    def created_ids(self) -> list[int]:
        return [droplet_id for droplet_id in self._stored if droplet_id >= FIRST_CREATED_ID]

    def find_stored(self, droplet_id: int) -> Droplet | None:
        """Return the droplet, if it is no synthetic one."""
        return self._stored.get(droplet_id)

    def iter_stored(self) -> Iterator[Droplet]:
        """Yield the droplets that aren't computed: the fleet's, the created, the changed synthetic ones."""
        yield from self._stored.values()
        yield from self._changed.values()

    def sample_ids(self, count: int) -> list[int]:
        """Return the ids of so many droplets, or of all, evenly spread over those without a GPU."""
        ids = [droplet.id for droplet in self._stored.values() if not droplet.is_gpu]
        ids += map(droplet_id_at, self.synthetic.remaining.slice(0, len(self.synthetic.remaining)))
        # Spread by arithmetic and not at random: the same call changes the same droplets again.
        return ids if count >= len(ids) else [ids[number * len(ids) // count] for number in range(count)]

    def ids_with_tag(self, tag: str) -> list[int]:
        """Return the ids, ascending, of the droplets with that tag, given in lower case."""
        # A changed one may have lost its tag: it counts by what is stored of it.
        computed = [i for i in self.synthetic.indices_with_tag(tag) if i not in self._changed]
        found = [d.id for d in self.iter_stored() if any(own.lower() == tag for own in d.tags)]
        return sorted([*found, *map(droplet_id_at, computed)])

    def ids_with_name(self, name: str) -> list[int]:
        """Return the ids, ascending, of the droplets of that name, in any case."""
        index = self.synthetic.find_index_by_name(name)
        found = [d.id for d in self.iter_stored() if d.name.lower() == name.lower()]
        if index is not None and index not in self._changed:
            found.append(droplet_id_at(index))
        return sorted(found)

    def tag_counts(self) -> dict[str, tuple[int, int]]:
        """Return by tag the number of its droplets and the id of the last one."""
        counts = {
            tag: (count, droplet_id_at(last))
            for tag, (count, last) in self.synthetic.tag_counts(self._changed).items()
        }
        for droplet in self.iter_stored():
            for tag in droplet.tags:
                count, last = counts.get(tag, (0, 0))
                counts[tag] = (count + 1, max(last, droplet.id))
        return counts
