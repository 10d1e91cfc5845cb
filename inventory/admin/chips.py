"""The chips above the list of resources: each choice of a filter, a click away, with how many it lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from arcadia_cloud.kernel.console.formatting import NOTHING
from arcadia_cloud.kernel.console.paging import MOST_COUNTED
from inventory.admin.filters import KindFilter, LifeFilter, OwnerFilter, RegionFilter, StatusFilter
from inventory.queries import ChoiceCount, count_choices, count_unattributed
from inventory.values import UNATTRIBUTED, kind_label

_PAGE: Final = "p"
_ORDER: Final = "o"


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice; `href` makes it, or takes it back where it is made. `count` is "" where it isn't counted."""

    words: str
    count: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ChipRow:
    """The choices of one filter."""

    name: str
    chips: list[Chip]


def build_chips(request: HttpRequest, *, dearest: str) -> list[ChipRow]:
    """Return the rows of chips; `dearest` is the order that begins with the dearest, "" where there is none.

    Live resources are counted, under each choice alone, as far as a list counts: where another filter narrows
    the list, that would be the number of another one. Two queries, or none.
    """
    is_live = request.GET.get(str(LifeFilter.parameter_name), LifeFilter.default) == LifeFilter.default
    found = count_choices(most=MOST_COUNTED) if is_live else []
    numbers = {UNATTRIBUTED: _format_count(count_unattributed(most=MOST_COUNTED))} if is_live else {}
    owners = [(str(value), str(label), numbers.get(str(value), "")) for value, label in OwnerFilter.options]
    rows = [
        _row(request, "Owner", OwnerFilter.parameter_name, owners),
        _row(request, "Kind", KindFilter.parameter_name, _list_counted(found, "kind")),
        _row(request, "Region", RegionFilter.parameter_name, _list_counted(found, "region")),
        _row(request, "Status", StatusFilter.parameter_name, _list_counted(found, "status")),
    ]
    if dearest:
        rows.append(_row(request, "Order", _ORDER, [(dearest, "Dearest first", "")]))
    return [row for row in rows if row.chips]


def _list_counted(found: Iterable[ChoiceCount], dimension: str) -> list[tuple[str, str, str]]:
    """Return (value, label, count) of a dimension, the most first. No filter asks for an empty status."""
    chosen = [each for each in found if each.dimension == dimension and (each.value or dimension == "region")]
    return [
        (
            each.value or NOTHING,
            (kind_label(each.value) if dimension == "kind" else each.value) or "no region",
            _format_count(each.number),
        )
        for each in sorted(chosen, key=lambda each: (-each.number, each.value))
    ]


def _format_count(number: int) -> str:
    return f"{number:,}" if number <= MOST_COUNTED else f"{MOST_COUNTED:,}+"


def _row(request: HttpRequest, name: str, parameter: Any, choices: Iterable[tuple[str, str, str]]) -> ChipRow:
    chips = []
    is_narrowed = any(
        value and key not in {parameter, LifeFilter.parameter_name, _PAGE, _ORDER}
        for key, value in request.GET.items()
    )
    for value, words, count in choices:
        query = request.GET.copy()
        is_chosen = query.get(parameter) == value
        query.pop(_PAGE, None)  # another choice has pages of its own
        query.pop(parameter, None)
        if not is_chosen:
            query[parameter] = value
        chips.append(Chip(words, "" if is_narrowed else count, f"?{query.urlencode()}", is_chosen))
    return ChipRow(name, chips)
