"""The owner that a resource's tags name: `tenant:<id>`, `deployment:<slug>`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

_TENANT_LABEL: Final = "tenant:"
_DEPLOYMENT_LABEL: Final = "deployment:"


class OwnershipTags(NamedTuple):
    """The tenant and the slug that tags name, and the conflict where they contradict each other."""

    tenant: str | None = None
    slug: str | None = None
    conflict: str | None = None


_NONE: Final = OwnershipTags()


def parse(tags: Sequence[str]) -> OwnershipTags:
    """Read what the tags name. A label with nothing behind it names nothing."""
    return _parse(tuple(tags))


@lru_cache(maxsize=4096)  # a fleet has few sets of tags, and every resource of every run comes through here
def _parse(tags: tuple[str, ...]) -> OwnershipTags:
    tenants, slugs = _names(tags, _TENANT_LABEL), _names(tags, _DEPLOYMENT_LABEL)
    if len(tenants) > 1:
        return OwnershipTags(conflict=_conflict("tenants", tenants))
    if len(slugs) > 1:
        return OwnershipTags(conflict=_conflict("deployments", slugs))
    if tenants or slugs:
        return OwnershipTags(tenants[0] if tenants else None, slugs[0] if slugs else None)
    return _NONE


def _names(tags: Sequence[str], label: str) -> list[str]:
    """Return the names behind the label, each once."""
    return sorted({tag[len(label) :] for tag in tags if tag.startswith(label)} - {""})


def _conflict(what: str, names: Iterable[str]) -> str:
    return f"its tags name several {what}: {', '.join(names)}"
