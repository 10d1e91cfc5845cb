"""Console pages of records: rows that only the machinery writes. Nobody adds, edits or deletes them by hand."""

from typing import Any, Final, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from arcadia_cloud.kernel.theme import ThemedAdmin

M = TypeVar("M", bound=Model)

MOST_COUNTED: Final = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than MOST_COUNTED: a list opens as fast at a million rows as at ten thousand.

    The pages end there. Who looks for a row among more narrows the list; a page that far down would have
    to be read from the first row on.
    """

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most MOST_COUNTED."""
        return min(self._counted, MOST_COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than pages."""
        return self._counted > MOST_COUNTED

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment] # the console pages querysets alone
        return rows.order_by()[: MOST_COUNTED + 1].count()


class RecordAdmin(ThemedAdmin[M]):
    """A list and a page per row, to look at."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_disable_select_all = True
    actions: Any = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
