"""What a resource's tags claim: `tenant:<id>`, `deployment:<slug>`. What it is worth, `whose.sql` says."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TENANT, _DEPLOYMENT = "tenant:", "deployment:"


class Claim(NamedTuple):
    """The tenant and the slug that tags name, and the objection when they contradict each other."""

    tenant: str | None = None
    slug: str | None = None
    objection: str | None = None


def claim_of(tags: Iterable[str]) -> Claim:
    """Read the claim of some tags. A label with nothing behind it says nothing."""
    named = [tag for tag in tags if tag.startswith((_TENANT, _DEPLOYMENT))]
    if not named:
        return Claim()
    tenants = _names(named, _TENANT)
    slugs = _names(named, _DEPLOYMENT)
    for what, names in (("tenants", tenants), ("deployments", slugs)):
        if len(names) > 1:
            return Claim(objection=f"its tags name several {what}: {', '.join(names)}")
    return Claim(tenants[0] if tenants else None, slugs[0] if slugs else None)


def _names(tags: Sequence[str], label: str) -> list[str]:
    return sorted({tag.removeprefix(label) for tag in tags if tag.startswith(label) and tag != label})
