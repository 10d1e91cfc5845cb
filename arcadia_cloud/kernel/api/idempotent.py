"""`Idempotency-Key` for a view's POST: put `@idempotent` on the method that creates."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.authentication import caller
from arcadia_cloud.kernel.api.problems import REFUSALS, problem_of
from arcadia_cloud.kernel.idempotency import StoredResponse, respond_once

HEADER: Final = "Idempotency-Key"
_STORED_HEADERS: Final = ("Location", "ETag")
_VALID_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_FIRST_ERROR: Final = 400
_FIRST_SERVER_ERROR: Final = 500
KEY_PARAMETER: Final = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Makes a repeat harmless: the same key and body gets the first answer again, for 24 hours.",
)

View = Callable[..., HttpResponseBase]


def idempotent(create: View) -> View:
    """Store the response of `create(self, request, …)` with its effect, if the client sends a key.

    Everything that `create` does must be in the database, or be started on commit. A refusal (4xx) is
    undone and stored too; an error of ours (5xx) is undone and forgotten. Raises ValidationError for a key
    that isn't 1 to 255 visible ASCII characters.
    """

    @extend_schema(parameters=[KEY_PARAMETER])
    @functools.wraps(create)
    def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        if key is None:
            with transaction.atomic():
                return create(view, request, *args, **kwargs)
        if not _VALID_KEY.fullmatch(key):
            raise ValidationError({HEADER: ["Must be 1 to 255 visible ASCII characters."]})
        user = caller(request)
        # Sorted and respaced: bodies that mean the same are the same request.
        body = json.dumps(request.data, sort_keys=True, default=str)
        response, repeated = respond_once(
            # With the address: the same key at another object's is another key.
            scope=json.dumps([user.tenant_id, user.actor, request.method, request.path]),
            key=key,
            fingerprint=hashlib.sha256(body.encode()).hexdigest(),
            at=timezone.now(),
            effect=lambda: _run_effect(lambda: create(view, request, *args, **kwargs)),
        )
        headers = {**response.headers, **({"Idempotent-Replayed": "true"} if repeated else {})}
        return HttpResponse(response.body, status=response.status, headers=headers)

    return wrapper


def _run_effect(create: Callable[[], HttpResponseBase]) -> StoredResponse:
    """Run `create` in a savepoint that a refusal undoes. Raises what isn't the client's fault."""
    try:
        with transaction.atomic():
            response = create()
            if response.status_code >= _FIRST_ERROR:
                transaction.set_rollback(True)
    except REFUSALS as error:
        problem = problem_of(error)
        if problem is None or problem.status >= _FIRST_SERVER_ERROR:
            raise
        response = problem.response()
    if isinstance(response, Response):
        text = JSONRenderer().render(response.data).decode()
        return StoredResponse(response.status_code, text, _stored_headers(response, "application/json"))
    if not isinstance(response, HttpResponse):
        raise TypeError("a streamed response can't be stored")
    content_type = response.headers["Content-Type"]
    return StoredResponse(
        response.status_code, response.content.decode(), _stored_headers(response, content_type)
    )


def _stored_headers(response: HttpResponse, content_type: str) -> Mapping[str, str]:
    kept = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
    return {"Content-Type": content_type, **kept}
