"""Examples of the drift API's answers, for the schema and its page."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.examples import NOT_FOUND, UNKNOWN_PARAMETER, answer, refusal

_ROW: Final[dict[str, Any]] = {
    "id": 7,
    "resource_id": 41,
    "resource_name": "shop-web-01",
    "provider_id": "480000000",
    "tenant_id": "acme",
    "kind": "droplet",
    "field": "size_slug",
    "expected": "s-2vcpu-4gb",
    "actual": "s-1vcpu-1gb",
    "cause": "0d8c2b7f7e1a4c6db1c9c0f2f4a5e6d7",
    "status": "open",
    "detected_at": "2026-11-28T09:20:04.512000Z",
    "last_seen_at": "2026-11-28T11:20:03.871000Z",
    "resolved_at": None,
    "resolved_by": "",
    "note": "",
    "revert_saga_id": None,
    "refusal": "",
}
_ACCEPTED: Final = {
    **_ROW,
    "status": "accepted",
    "resolved_at": "2026-11-28T11:31:40.002000Z",
    "resolved_by": "operator-1",
    "note": "smaller on purpose",
}
_MOVED: Final = refusal(
    "Moved",
    409,
    code="drift_moved",
    detail="drift 7: size_slug has other values by now: look at it again",
)
_RESOLVED: Final = refusal(
    "Resolved",
    409,
    code="drift_resolved",
    detail="drift 7: size_slug was accepted by operator-2 at 2026-11-28 11:31:39+00:00",
)
_NOTE: Final = OpenApiExample(
    "With what was seen",
    value={"cause": _ROW["cause"], "note": "smaller on purpose"},
    request_only=True,
)
LIST: Final = [answer(_ROW), UNKNOWN_PARAMETER]
DETAIL: Final = [answer(_ROW), NOT_FOUND]
ACCEPT: Final = [_NOTE, answer(_ACCEPTED), NOT_FOUND, _MOVED, _RESOLVED]
REVERT: Final = [
    _NOTE,
    answer({**_ROW, "revert_saga_id": 31}),
    NOT_FOUND,
    _MOVED,
    refusal(
        "Being reverted",
        409,
        code="drift_reverting",
        detail="saga 31, which is waiting, puts back drift 7: size_slug",
    ),
    refusal(
        "Not revertable",
        422,
        code="not_revertable",
        detail="region can't be put back: DigitalOcean moves nothing to another region: "
        "restore a snapshot there",
        region="DigitalOcean moves nothing to another region: restore a snapshot there",
    ),
]
IGNORE: Final = [
    OpenApiExample(
        "For a week",
        value={"reason": "a trial by the customer", "expires_at": "2026-12-05T12:00:00Z"},
        request_only=True,
    ),
    answer({**_ACCEPTED, "status": "ignored", "note": ""}),
    NOT_FOUND,
    _RESOLVED,
]
BULK: Final = [
    OpenApiExample("Revert two", value={"action": "revert", "ids": [7, 8]}, request_only=True),
    answer(
        {
            "results": [
                {"id": 7, "status": 200, "code": "", "detail": "", "saga_id": 31},
                {
                    "id": 8,
                    "status": 404,
                    "code": "not_found",
                    "detail": "there is no drift 8",
                    "saga_id": None,
                },
            ]
        }
    ),
]
SUMMARY: Final = [
    answer(
        {
            "open": 44,
            "ignored": 2,
            "reverting": 3,
            "oldest_at": "2026-11-28T09:20:04.512000Z",
            "by_kind": {"droplet": 44},
            "by_field": {"tags": 40, "size_slug": 3, "exists": 1},
            "coverage": [{"kind": "droplet", "live": 52, "covered": 47, "percent": 90}],
        }
    )
]
