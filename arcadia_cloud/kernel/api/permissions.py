"""Permissions to use an endpoint at all; which rows it shows is decided by `visible_to`."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from arcadia_cloud.kernel.api.authentication import caller


class TenantOrOperator(BasePermission):
    """The default: tokens of a tenant, and operators."""

    message = "This token may not read tenant data: it names no tenant, or only meters."

    def has_permission(self, request: Request, view: object) -> bool:
        user = caller(request)
        return user.is_operator or user.reads_tenant_data


class OperatorOnly(BasePermission):
    """Operators alone: data of theirs, such as what the provider charges."""

    message = "Only the role platform_admin may do this."

    def has_permission(self, request: Request, view: object) -> bool:
        return caller(request).is_operator


class TenantsOnlyRead(BasePermission):
    """A tenant reads its own; whatever changes something is the operators'."""

    message = OperatorOnly.message

    def has_permission(self, request: Request, view: object) -> bool:
        user = caller(request)
        return user.is_operator or (user.reads_tenant_data and request.method in SAFE_METHODS)


class AnyReader(BasePermission):
    """Any token but one that only meters: for what is no tenant's data, such as what is sold."""

    message = "This token only meters."

    def has_permission(self, request: Request, view: object) -> bool:
        return not caller(request).only_meters


class UsageSender(BasePermission):
    """Those who may send usage: operators, and the role metering, with or without others."""

    message = "Only the roles platform_admin and metering may send usage."

    def has_permission(self, request: Request, view: object) -> bool:
        user = caller(request)
        return user.is_operator or user.sends_usage
