"""Examples of answers in the schema: what every app's examples are made of."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.problems import MEDIA_TYPE, TYPE_PREFIX


def answer(
    value: Any, *, name: str = "Answer", status: int | None = None, media_type: str = "application/json"
) -> OpenApiExample:
    """Return the example of an answer; of a list one row: the schema lays the page around it."""
    return OpenApiExample(
        name, value=value, response_only=True, status_codes=_codes(status), media_type=media_type
    )


def answers_by_role(
    for_tenants: Any, for_operators: Any, *, status: int | None = None
) -> list[OpenApiExample]:
    """Return the examples of an answer that shows operators more than tenants."""
    return [
        OpenApiExample(name, summary=summary, value=value, response_only=True, status_codes=_codes(status))
        for name, summary, value in (
            ("Tenant", "As a tenant sees it", for_tenants),
            ("Operator", "As an operator sees it", for_operators),
        )
    ]


def refusal(name: str, status: int, *, code: str, detail: str, **errors: str) -> OpenApiExample:
    """Return the example of a problem.

    `errors` are rules by field; `__` in a field's name is a dot, and a field `code` is named `code_`.
    """
    by_field = {field.removesuffix("_").replace("__", "."): rule for field, rule in errors.items()}
    value = problem_value(status, code=code, detail=detail, errors=by_field)
    return OpenApiExample(
        name, value=value, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE
    )


def problem_value(status: int, *, code: str, detail: str, errors: Mapping[str, str]) -> dict[str, Any]:
    """Return a problem as it is answered."""
    return {
        "type": TYPE_PREFIX + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": {field: [rule] for field, rule in errors.items()},
        "request_id": "fb65d84c-f18e-4d54-a861-94c1ebe67839",
    }


def _codes(status: int | None) -> list[str] | None:
    return None if status is None else [str(status)]


UNKNOWN_PARAMETER: Final = refusal(
    "Unknown parameter",
    400,
    code="invalid",
    detail="The request is not valid.",
    colour="There is no such query parameter.",
)
NOT_FOUND: Final = refusal("Not found", 404, code="not_found", detail="Not found.")
