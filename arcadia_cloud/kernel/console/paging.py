"""Paging that costs the same however large the table is."""

from typing import Any, Final

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from arcadia_cloud.kernel.console.lookups import StrictChangeList

MOST_COUNTED: Final = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than MOST_COUNTED: a list opens as fast at a million rows as at ten thousand.

    The pages end there. A page further down would be read from the first row on; who looks for a row among
    more narrows the list.
    """

    template_name = "kernel/pagination.html"

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most MOST_COUNTED."""
        return min(self._bounded_count, MOST_COUNTED)

    @property
    def is_cut(self) -> bool:
        """Return whether there are more rows than the pages show."""
        return self._bounded_count > MOST_COUNTED

    @cached_property
    def _bounded_count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment] # the console pages querysets alone
        # One row more than is shown tells that there are more; the order would only cost a sort.
        return rows.order_by()[: MOST_COUNTED + 1].count()


class BoundedChangeList(StrictChangeList):
    """A list that counts nothing besides its pages."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the pages' count for the total: the theme would offer to show all where none is known."""
        super().get_results(request)
        self.full_result_count = self.result_count
