"""The owner that a resource's tags name: `tenant:<id>`, `deployment:<slug>`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

_TENANT, _DEPLOYMENT = "tenant:", "deployment:"


class OwnershipTags(NamedTuple):
    """The tenant and the slug that tags name, and the objection when they contradict each other."""

    tenant: str | None = None
    slug: str | None = None
    objection: str | None = None


_NOTHING = OwnershipTags()


def parse(tags: Sequence[str]) -> OwnershipTags:
    """Read the claim of some tags. A label with nothing behind it says nothing."""
    return _claim_of(tuple(tags))


@lru_cache(maxsize=4096)  # a fleet has few sets of tags, and every resource of every run comes through here
def _claim_of(tags: tuple[str, ...]) -> OwnershipTags:
    tenants, slugs = _names(tags, _TENANT), _names(tags, _DEPLOYMENT)
    if len(tenants) > 1:
        return OwnershipTags(objection=_several("tenants", tenants))
    if len(slugs) > 1:
        return OwnershipTags(objection=_several("deployments", slugs))
    if tenants or slugs:
        return OwnershipTags(tenants[0] if tenants else None, slugs[0] if slugs else None)
    return _NOTHING


def _names(tags: Sequence[str], label: str) -> list[str]:
    """What stands behind the label, each name once."""
    return sorted({tag[len(label) :] for tag in tags if tag.startswith(label)} - {""})


def _several(what: str, names: Iterable[str]) -> str:
    return f"its tags name several {what}: {', '.join(names)}"
