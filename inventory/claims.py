"""What a resource's tags claim: `tenant:<id>`, `deployment:<slug>`. What it is worth, `whose.sql` says."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TENANT, _DEPLOYMENT = "tenant:", "deployment:"


class Claim(NamedTuple):
    """The tenant and the slug that tags name, and the objection when they contradict each other."""

    tenant: str | None = None
    slug: str | None = None
    objection: str | None = None


_NOTHING = Claim()


def claim_of(tags: Sequence[str]) -> Claim:
    """Read the claim of some tags. A label with nothing behind it says nothing."""
    tenants, slugs = _names(tags, _TENANT), _names(tags, _DEPLOYMENT)
    if len(tenants) > 1:
        return Claim(objection=_several("tenants", tenants))
    if len(slugs) > 1:
        return Claim(objection=_several("deployments", slugs))
    if tenants or slugs:
        return Claim(tenants[0] if tenants else None, slugs[0] if slugs else None)
    return _NOTHING


def _names(tags: Sequence[str], label: str) -> list[str]:
    """What stands behind the label, each name once. Every resource of every run comes through here."""
    names = [tag[len(label) :] for tag in tags if tag.startswith(label)]
    if not names or (len(names) == 1 and names[0]):
        return names
    return sorted({*names} - {""})


def _several(what: str, names: Iterable[str]) -> str:
    return f"its tags name several {what}: {', '.join(names)}"
