"""Rows of tenants in views: each caller sees their own, operators everybody's and more of each."""

from typing import Any, ClassVar

from rest_framework import generics
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from arcadia_cloud.kernel.api.authentication import caller_if_any
from arcadia_cloud.kernel.scoping import TenantQuerySet


def is_operator(request: Request) -> bool:
    """Whether an operator calls."""
    user = caller_if_any(request)
    return user is not None and user.is_operator


class ScopedView(generics.GenericAPIView[Any]):
    """A view of tenant-owned rows, with more fields and filters for operators.

    Declare `rows` (everybody's: `get_queryset` narrows them to the caller's), `tenant_serializer` and
    `operator_serializer`, and in a list `tenant_filterset` and `operator_filterset`.
    """

    rows: ClassVar[TenantQuerySet[Any]]
    tenant_serializer: ClassVar[type[BaseSerializer[Any]]]
    operator_serializer: ClassVar[type[BaseSerializer[Any]]]
    tenant_filterset: ClassVar[Any] = None  # the library is untyped
    operator_filterset: ClassVar[Any] = None

    @property
    def shows_all(self) -> bool:
        """Whether this shows what operators see: to them, and in the schema, which describes both."""
        return getattr(self, "swagger_fake_view", False) or is_operator(self.request)

    @property
    def filterset_class(self) -> Any:
        """The caller's filters: what a tenant may not ask for doesn't exist for it."""
        return self.operator_filterset if self.shows_all else self.tenant_filterset

    def get_queryset(self) -> Any:  # Any: the view's stubs bind it to one model
        return self.rows.all().visible_to(caller_if_any(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.operator_serializer if self.shows_all else self.tenant_serializer
