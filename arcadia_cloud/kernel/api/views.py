"""Bases of the API's views: query parameters that an endpoint doesn't know are refused by name."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django_filters import filters
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arcadia_cloud.kernel.api import pagination
from arcadia_cloud.kernel.api.etags import respond_with_etag
from arcadia_cloud.kernel.api.filters import RuleFilterBackend
from arcadia_cloud.kernel.api.pagination import KeysetPagination
from arcadia_cloud.kernel.api.problems import LengthRequired


class StrictQueryMixin(APIView):
    """Answers 400 to query parameters beyond `query_parameters`, to one given twice and to an empty one.

    A silent default would show a client everything when it has mistyped its filter.
    """

    query_parameters: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Runs after authentication, throttles and permissions: strangers learn no parameter's name."""
        self.perform_authentication(request)
        # Before the permissions, not after them as in the library: who is refused everywhere has a limit too.
        super().check_throttles(request)
        super().initial(request, *args, **kwargs)
        if not hasattr(self, str(request.method).lower()):
            return  # 405 comes before what is wrong with the parameters
        # Django reads a body of no stated length as an empty one: its fields would be reported as missing.
        if request.method not in SAFE_METHODS and "HTTP_TRANSFER_ENCODING" in request.META:
            raise LengthRequired
        known = self.known_parameters()
        errors: dict[str, list[str]] = {}
        for name, values in request.query_params.lists():
            if name not in known:
                errors[name[:80]] = ["There is no such query parameter."]
            elif len(values) > 1 and not known[name]:
                # Django would take the last, a proxy that checks the query perhaps the first.
                errors[name] = ["May stand only once."]
            elif "" in values:
                errors[name] = ["May not be empty."]
        if errors:
            raise ValidationError(errors)

    def check_throttles(self, request: Request) -> None:
        """Count nothing a second time: `initial` has."""

    def known_parameters(self) -> Mapping[str, bool]:
        """The query parameters of this request's endpoint, and whether each may stand more than once."""
        return dict.fromkeys(self.query_parameters, False)


class ApiView(StrictQueryMixin):
    """An endpoint that is neither a list nor one object."""


class FilteredView(StrictQueryMixin, generics.GenericAPIView[Any]):
    """Rows that query parameters narrow, all of them at once. Declare `filterset_class`."""

    pagination_class: type[BasePagination] | None = None
    filter_backends = (RuleFilterBackend,)

    def known_parameters(self) -> Mapping[str, bool]:
        known = dict(super().known_parameters())
        filterset = getattr(self, "filterset_class", None)
        for name, field in (filterset.base_filters if filterset else {}).items():
            known[name] = isinstance(field, filters.MultipleChoiceFilter)
        return known


class ListView(FilteredView, generics.ListAPIView[Any]):
    """A filtered list, a page at a time. Declare `filterset_class`, `orderings`, `default_ordering`."""

    pagination_class = KeysetPagination
    orderings: ClassVar[tuple[str, ...]] = ("id",)
    default_ordering: ClassVar[str] = "-id"

    def known_parameters(self) -> Mapping[str, bool]:
        return {**super().known_parameters(), **dict.fromkeys(pagination.PARAMETERS, False)}


class DetailView(StrictQueryMixin, generics.RetrieveAPIView[Any]):
    """One object, with its ETag. `get_queryset` is scoped, so that a stranger's object is a 404."""

    filter_backends = ()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return respond_with_etag(request, self.get_serializer(self.get_object()).data)
