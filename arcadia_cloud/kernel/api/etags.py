"""ETags of single objects: a client reads again for nothing, and never overwrites what it hasn't seen."""

import hashlib
from typing import Any

from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags, quote_etag
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from arcadia_cloud.kernel.api.problems import PreconditionFailed, PreconditionRequired


def etag_of(data: Any) -> str:
    """Return the ETag of a representation: two callers who see different fields get different tags."""
    return quote_etag(hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32])


def respond_with_etag(request: Request, data: Any) -> Response:
    """Return `data` with its ETag; 304 without a body when the client has it (`If-None-Match`)."""
    etag = etag_of(data)
    response = Response(data, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
    conditional = get_conditional_response(request, etag=etag, response=response)
    if conditional is response:
        return response
    status = 304 if request.method in {"GET", "HEAD"} and request.headers.get("If-None-Match") else 412
    if status != 304:  # noqa: PLR2004
        raise PreconditionFailed
    return Response(status=304, headers=dict(response.headers))


def require_match(request: Request, data: Any) -> None:
    """Refuse a change unless `If-Match` names the object as it now is; `data` is its representation.

    Call it with the row locked. Raises PreconditionRequired (428) and PreconditionFailed (412).
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired
    # Weak ones too: our tags are of the data and not of the bytes, and a compressed answer's is made weak.
    wanted = [tag.removeprefix("W/") for tag in parse_etags(header)]
    if wanted != ["*"] and etag_of(data) not in wanted:
        raise PreconditionFailed
