"""Console pages of records: rows that only the machinery writes, so nobody adds, edits or deletes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from arcadia_cloud.kernel.console.theme import ThemedAdmin, ThemedChangeList
from arcadia_cloud.kernel.errors import DomainError

M = TypeVar("M", bound=Model)

MOST_COUNTED: Final = 10_000
MOST_AT_ONCE: Final = 500
_REFUSALS_TOLD: Final = 5


class BoundedPaginator(Paginator[Any]):
    """Counts no further than MOST_COUNTED: a list opens as fast at a million rows as at ten thousand.

    The pages end there. A page further down would be read from the first row on; who looks for a row among
    more narrows the list.
    """

    template_name = "kernel/pagination.html"

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most MOST_COUNTED."""
        return min(self._counted, MOST_COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than the pages show."""
        return self._counted > MOST_COUNTED

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment] # the console pages querysets alone
        return rows.order_by()[: MOST_COUNTED + 1].count()


class _BoundedChangeList(ThemedChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Nothing is counted besides: the theme would offer to show all where the total isn't known."""
        super().get_results(request)
        self.full_result_count = self.result_count


class BoundedAdmin(ThemedAdmin[M]):
    """A list that opens fast whatever the table's size, and that offers no deletion."""

    paginator = BoundedPaginator
    list_filter_submit = True
    list_per_page = 50
    list_max_show_all = 0
    show_facets = ShowFacets.NEVER  # each facet would be a count over the whole table
    show_full_result_count = False
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ThemedChangeList]:
        return _BoundedChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Button:
    """What opens a dialog; `name` tells it from the others of its page."""

    name: str
    words: str
    icon: str
    href: str


class RecordAdmin(BoundedAdmin[M]):
    """A list and a page per row, to look at, and where there are dialogs, to lend a hand."""

    def extra_context(self, request: HttpRequest, row: M) -> dict[str, Any]:
        """What the row's page shows beside its fields, by the names that its template knows."""
        return {}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= self.extra_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def button(self, name: str, row: M) -> Button:
        """What opens the dialog of the action `name` on the row's page."""
        made = self.get_unfold_action(name)  # type: ignore[attr-defined] # the theme's; it has no types
        return Button(name, made.description, made.icon, reverse(f"admin:{made.action_name}", args=[row.pk]))

    def run_action(
        self, request: HttpRequest, object_id: str, hand: Callable[[int], M], *, logged: str, told: str
    ) -> HttpResponse:
        """What a dialog does once it is posted: lend a hand to a row, by its id, and log it.

        Goes to the page of the row that `hand` returns. A refusal is told and not logged.
        """
        if not object_id.isdecimal():
            raise Http404
        shown = int(object_id)
        try:
            row = hand(shown)
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
        else:
            self.log_change(request, row, logged)
            self.message_user(request, told, messages.SUCCESS)
            shown = row.pk
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[shown])
        return HttpResponse(headers={"HX-Redirect": address})

    def run_action_on_each(
        self, request: HttpRequest, queryset: QuerySet[M], hand: Callable[[int], M], *, logged: str
    ) -> None:
        """The same for a selection, one by one: a refusal is told and holds up none of the others."""
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, f"At most {MOST_AT_ONCE} at once: narrow the list.", messages.ERROR)
            return
        refusals: list[str] = []
        for pk in chosen:
            try:
                self.log_change(request, hand(pk), logged)
            except DomainError as refusal:
                refusals.append(refusal.detail)
        for words in refusals[:_REFUSALS_TOLD]:
            self.message_user(request, words, messages.ERROR)
        if len(refusals) > _REFUSALS_TOLD:
            self.message_user(request, f"{len(refusals) - _REFUSALS_TOLD} more were refused.", messages.ERROR)
        self.message_user(request, f"{len(chosen) - len(refusals)} done.", messages.SUCCESS)
