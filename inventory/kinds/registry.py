"""Every kind that is synced."""

from collections.abc import Iterable, Sequence

from arcadia_cloud.kernel.errors import InvalidInput
from inventory.kinds.droplet import DROPLET
from inventory.kinds.entry import KindEntry
from inventory.values import RunMode

ENTRIES: Sequence[KindEntry] = (DROPLET,)
_BY_NAME = {str(entry.kind): entry for entry in ENTRIES}


def of_mode(mode: RunMode) -> list[KindEntry]:
    """The kinds of one schedule."""
    return [entry for entry in ENTRIES if mode in entry.modes]


def named(kinds: Iterable[str]) -> list[KindEntry]:
    """The kinds of these names, each once. Raises InvalidInput naming those that are not synced."""
    wanted = dict.fromkeys(kinds)
    unknown = [kind for kind in wanted if kind not in _BY_NAME]
    if unknown:
        known = ", ".join(sorted(_BY_NAME))
        raise InvalidInput(f"not a kind that is synced: {', '.join(unknown)} (there are: {known})")
    return [_BY_NAME[kind] for kind in wanted]
