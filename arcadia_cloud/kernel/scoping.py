"""Scoping of rows to the caller. Every QuerySet of tenant-owned rows is a TenantQuerySet."""

from typing import ClassVar, Final, Protocol, Self, TypeVar

from django.db import models

OPERATOR_PREFIX: Final = "user:"  # of an operator's name as the actor in a history
RowT_co = TypeVar("RowT_co", bound=models.Model, covariant=True)


class Viewer(Protocol):
    """A user as scoping knows it: a TokenUser, or anything with the same attributes."""

    @property
    def tenant_id(self) -> str | None: ...
    @property
    def is_operator(self) -> bool: ...
    @property
    def reads_tenant_data(self) -> bool: ...


class TenantQuerySet(models.QuerySet[RowT_co]):
    """Rows that belong to a tenant, directly or through `tenant_field`, a lookup path."""

    tenant_field: ClassVar[str] = "tenant_id"

    def visible_to(self, user: Viewer | None) -> Self:
        """Return all rows for an operator, the tenant's own for its tokens, none for any other user."""
        if user is None or not (user.is_operator or user.reads_tenant_data):
            return self.none()
        if user.is_operator:
            return self.all()
        return self.filter(**{self.tenant_field: user.tenant_id})
