"""The feed of events: what happened, by cursor, for who keeps a copy or reacts to it."""

from typing import Any, ClassVar, Final

from django.core import signing
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, parse_limit
from arcadia_cloud.kernel.api.serializers import UtcDateTimeField
from arcadia_cloud.kernel.api.views import ApiView
from provisioning.api import examples
from provisioning.event_feed import FeedPosition, read_feed
from provisioning.models import FeedSubject

_LONGEST_CURSOR: Final = 200
_signer: Final = signing.Signer(salt="event-feed")


class FeedEventSerializer(serializers.Serializer[Any]):
    """One event."""

    id = serializers.IntegerField(help_text="Its own; an event that is read twice has the same.")
    tenant_id = serializers.CharField(help_text="The owner at that time.")
    subject = serializers.ChoiceField(choices=FeedSubject.choices, help_text="What it is about.")
    subject_id = serializers.IntegerField(help_text="The id of that resource, deployment or saga.")
    type = serializers.CharField(
        source="event_type",
        help_text="As in the resource's or deployment's history; of a saga, the status that it came to.",
    )
    at = UtcDateTimeField(help_text="When it happened.")
    details = serializers.DictField(
        help_text="Of a resource `kind`, `name` and `changes` (`{field: [old, new]}`); of a deployment "
        "`slug`, `from`, `to` and `reason`; of a saga `kind` and `deployment_id`."
    )


class FeedPageSerializer(serializers.Serializer[Any]):
    """Some events, oldest first, and where to go on."""

    next = serializers.URLField(help_text="What comes after these; ask again later where there was nothing.")
    has_more = serializers.BooleanField(help_text="Whether `next` has events already.")
    results = FeedEventSerializer(many=True)


class EventFeed(ApiView):
    """The events of resources, deployments and sagas: a tenant's own, for operators every tenant's."""

    query_parameters: ClassVar[frozenset[str]] = frozenset({"cursor", "limit"})

    @extend_schema(
        summary="Read what happened",
        parameters=[
            OpenApiParameter("cursor", str, description="From a `next` link; without: from the oldest kept."),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                description="Events a page.",
            ),
        ],
        responses=FeedPageSerializer,
        examples=examples.EVENTS,
    )
    def get(self, request: Request) -> Response:
        """Return the events after a position, oldest first; nothing is left out or comes twice.

        Keep the `next` link and ask it again: every event comes once, whoever writes meanwhile. Events are
        kept for 30 days unless the operator has set another time; histories keep theirs. A resource's events
        go to who owned it at that time.
        """
        after = FeedPosition()
        if (text := request.query_params.get("cursor")) is not None:
            try:
                # Signed: a position that the feed didn't give out could skip what is still to come.
                after = FeedPosition.parse(_signer.unsign(text[:_LONGEST_CURSOR]))
            except (signing.BadSignature, ValueError) as error:
                raise ValidationError(
                    {"cursor": ["Not a cursor of this feed; start again without."]}
                ) from error
        page = read_feed(viewer=caller(request), after=after, limit=parse_limit(request))
        cursor = _signer.sign(str(page.position))
        body = {
            "next": replace_query_param(request.build_absolute_uri(), "cursor", cursor),
            "has_more": page.has_more,
            "results": page.entries,
        }
        return Response(FeedPageSerializer(body).data)
