"""Leftovers in the API: what costs without being of use. Read-only, for operators alone."""

from decimal import Decimal
from typing import Any, Final

from django.core import signing
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from arcadia_cloud.kernel.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, parse_limit
from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.serializers import ExactField
from arcadia_cloud.kernel.api.views import ApiView
from billing.api import examples
from billing.queries import (
    Leftover,
    LeftoverFilter,
    LeftoverPlace,
    LeftoverReason,
    list_leftovers,
    sum_leftovers,
)
from inventory.values import PROVIDER_CURRENCY, Kind

_LONGEST_CURSOR: Final = 300
_signer: Final = signing.Signer(salt="leftovers")


class LeftoverSerializer(serializers.Serializer[Any]):
    """A live resource that costs without being of use."""

    resource_id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    provider_id = serializers.CharField()
    region = serializers.CharField()
    tenant_id = serializers.CharField(allow_null=True)
    deployment_id = serializers.IntegerField(allow_null=True)
    reasons = serializers.ListField(
        child=serializers.ChoiceField(choices=LeftoverReason.choices), help_text="Each that holds."
    )
    off_since = serializers.DateTimeField(allow_null=True, help_text="When a droplet that is off last ran.")
    monthly = ExactField(allow_null=True, help_text="A month at list prices; null without one.")
    clean_up = serializers.CharField(
        source="clean_up.workflow",
        allow_null=True,
        default=None,
        help_text="The kind of the saga that deletes it; null where there is none.",
    )


class LeftoverTotalSerializer(serializers.Serializer[Any]):
    """The sum of every page, each resource counted once."""

    count = serializers.IntegerField()
    monthly = ExactField(help_text="At least this: what has no list price is in no sum.")
    unpriced = serializers.IntegerField(help_text="How many have no list price.")


class LeftoverPageSerializer(serializers.Serializer[Any]):
    """A page of leftovers, the dearest first, those without a list price last."""

    currency = serializers.CharField()
    total = LeftoverTotalSerializer()
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")
    previous = serializers.URLField(allow_null=True, help_text="The page before this one.")
    results = LeftoverSerializer(many=True)


class LeftoversView(ApiView):
    """Resources that cost without being of use, and what they cost in a month."""

    permission_classes = (OperatorOnly,)
    query_parameters = frozenset({"reason", "kind", "limit", "cursor"})

    @extend_schema(
        summary="Leftovers",
        parameters=[
            OpenApiParameter("reason", enum=LeftoverReason.values, description="Those of this reason."),
            OpenApiParameter("kind", enum=Kind.values, description="Those of this kind."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From a `next` or `previous` link."),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                description="Rows a page.",
            ),
        ],
        responses=LeftoverPageSerializer,
        examples=examples.LEFTOVERS,
    )
    def get(self, request: Request) -> Response:
        """Answer a page and the sum of all pages. At list prices; what is free isn't among them."""
        only, place, limit = _read_filter(request), _read_cursor(request), parse_limit(request)
        at = timezone.now()
        # One row more than is shown proves that there is another page.
        rows = list_leftovers(at=at, only=only, beyond=place, limit=limit + 1)
        has_more = len(rows) > limit
        is_backward = place is not None and place.backward
        rows = rows[-limit:] if is_backward else rows[:limit]
        has_next, has_previous = (True, has_more) if is_backward else (has_more, place is not None)
        body = {
            "currency": PROVIDER_CURRENCY,
            "total": sum_leftovers(at=at, only=only),
            "next": _link(request, rows[-1], backward=False) if rows and has_next else None,
            "previous": _link(request, rows[0], backward=True) if rows and has_previous else None,
            "results": rows,
        }
        return Response(LeftoverPageSerializer(body).data)


def _read_filter(request: Request) -> LeftoverFilter:
    """Return the reason and the kind that are asked for. Raises ValidationError."""
    reason, kind = request.query_params.get("reason"), request.query_params.get("kind")
    errors: dict[str, list[str]] = {}
    if reason is not None and reason not in LeftoverReason.values:
        errors["reason"] = [f"Must be one of {', '.join(LeftoverReason.values)}."]
    if kind is not None and kind not in Kind.values:
        errors["kind"] = [f"Must be one of {', '.join(Kind.values)}."]
    if errors:
        raise ValidationError(errors)
    return LeftoverFilter(
        reason=None if reason is None else LeftoverReason(reason), kind=None if kind is None else Kind(kind)
    )


def _link(request: Request, row: Leftover, *, backward: bool) -> str:
    """Return the address of the page after a row, or before it."""
    # Signed: a place is always one that this list gave out.
    monthly = None if row.monthly is None else str(row.monthly)
    cursor = _signer.sign_object({"monthly": monthly, "id": row.resource_id, "backward": backward})
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def _read_cursor(request: Request) -> LeftoverPlace | None:
    """Return the place that the page is beyond. Raises ValidationError."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        place = _signer.unsign_object(text[:_LONGEST_CURSOR])
    except (signing.BadSignature, ValueError) as error:
        raise ValidationError({"cursor": ["Not a cursor of this list; start again without."]}) from error
    monthly = place["monthly"]
    return LeftoverPlace(None if monthly is None else Decimal(monthly), place["id"], place["backward"])
