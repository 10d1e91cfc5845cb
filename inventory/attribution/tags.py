"""The owner that a resource's tags name: `tenant:<id>`, `deployment:<slug>`.

DigitalOcean gives a tag back with the capitals that it was first made with, whoever made it. So labels are
read in any case, and a name finds its tenant in any case (`resolve_tenants`), as it finds its deployment in
attribution_rule.sql.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from arcadia_cloud.kernel.sql import fetch_all, load

_TENANT_LABEL: Final = "tenant:"
_DEPLOYMENT_LABEL: Final = "deployment:"


class OwnershipTags(NamedTuple):
    """The tenant and the slug that tags name, and the conflict where they contradict each other."""

    tenant: str | None = None
    slug: str | None = None
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class _Spelling:
    name: str
    tenant_id: str


_NONE: Final = OwnershipTags()
_SPELL_TENANTS: Final = load(__package__, "spell_tenants.sql")


def resolve_tenants(named: Iterable[OwnershipTags]) -> dict[str, str]:
    """Return `{name: tenant}` for the names that are a known tenant's but for their capitals. One query."""
    names = {tags.tenant for tags in named if tags.tenant is not None}
    if not names:
        return {}
    rows = fetch_all(_SPELL_TENANTS, {"names": sorted(names)}, into=_Spelling)
    return {row.name: row.tenant_id for row in rows}


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
    """Return the names behind the label, each once, whatever its capitals."""
    found = (tag[len(label) :].strip() for tag in tags if tag[: len(label)].lower() == label)
    return list({name.lower(): name for name in sorted(found) if name}.values())


def _conflict(what: str, names: Iterable[str]) -> str:
    return f"its tags name several {what}: {', '.join(names)}"
