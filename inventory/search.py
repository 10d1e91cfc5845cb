"""Resources by what an operator types, tenants, and the choices of filters: bounded in any fleet."""

from dataclasses import dataclass
from typing import Final

from arcadia_cloud.kernel.sql import fetch_all, load
from inventory.models import Resource
from inventory.values import PROVIDER, TRIGRAM, Kind

_FIND: Final = load(__package__, "find_resources.sql")
_FIND_TENANTS: Final = load(__package__, "find_tenants.sql")
_COUNT_CHOICES: Final = load(__package__, "count_choices.sql")
_MOST: Final = 60
_LAST_EXACT_RANK: Final = 1


@dataclass(frozen=True, slots=True)
class FoundResource:
    """A resource that was found, with its project and deployment; `is_exact` by its id, address or name."""

    resource: Resource
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ChoiceCount:
    """The live resources of one kind, region or status (`dimension`), as far as they were counted."""

    dimension: str
    value: str
    number: int


@dataclass(frozen=True, slots=True)
class _Rank:
    id: int
    rank: int


def find_resources(text: str, *, address: str | None) -> list[FoundResource]:
    """Find resources, the exact ones first, then the live ones; deleted ones only by id, address or name.

    `address` is the IP address that the text is, None where it is none.
    """
    parameters = {
        "text": text,
        # A URN ends in the provider's id, as do:droplet:4711.
        "ids": [text, *([text.rpartition(":")[2]] if text.startswith("do:") else [])],
        "address": address,
        # Inside names; not of fewer letters, which no index would serve.
        "part": f"%{_escape(text.upper())}%" if len(text) >= TRIGRAM else None,
        "provider": PROVIDER,
        "kinds": Kind.values,
        "most": _MOST,
    }
    ranks = {row.id: row.rank for row in fetch_all(_FIND, parameters, into=_Rank)}
    rows = Resource.objects.live_or_gone().filter(pk__in=ranks).select_related("deployment", "project")
    return [
        FoundResource(row, ranks[row.pk] <= _LAST_EXACT_RANK)
        for row in sorted(rows, key=lambda row: (ranks[row.pk], row.deleted_at is not None, row.name))
    ]


def find_tenants(text: str, *, most: int) -> list[str]:
    """Find tenants that have a deployment, a project or a live resource, by a part of their ids. One query.

    Of one that has resources alone, only the beginning counts, with its capitals. Without a text, the first.
    """
    parameters = {"text": text, "part": f"%{_escape(text.upper())}%", "most": most}
    return fetch_all(_FIND_TENANTS, parameters, into=str)


def count_choices(*, most: int) -> list[ChoiceCount]:
    """Count the live resources of each kind, region and status, none further than `most` + 1. One query."""
    return fetch_all(_COUNT_CHOICES, {"most": most}, into=ChoiceCount)


def count_unattributed(*, most: int) -> int:
    """Count the unattributed live resources, no further than `most` + 1. One query."""
    return Resource.objects.live().unattributed().order_by()[: most + 1].count()


def _escape(text: str) -> str:
    """Return the text with what LIKE would take for a pattern made literal."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
