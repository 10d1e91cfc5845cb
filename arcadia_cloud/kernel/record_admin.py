"""Console pages of records: rows that only the machinery writes, so nobody adds, edits or deletes them."""

from typing import Any, ClassVar, Final, TypeVar

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from arcadia_cloud.kernel.theme import ThemedAdmin, ThemedChangeList

M = TypeVar("M", bound=Model)

MOST_COUNTED: Final = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than MOST_COUNTED: a list opens as fast at a million rows as at ten thousand.

    The pages end there. A page further down would be read from the first row on; who looks for a row among
    more narrows the list.
    """

    template_name = "console/pages.html"

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


class RecordAdmin(BoundedAdmin[M]):
    """A list and a page per row, to look at."""

    def beside(self, request: HttpRequest, row: M) -> dict[str, Any]:
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
            context |= self.beside(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
