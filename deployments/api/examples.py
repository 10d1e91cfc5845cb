"""Examples of the deployments API's questions and answers, for the schema and its page."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.examples import (
    NOT_FOUND,
    UNKNOWN_PARAMETER,
    answer,
    answers_by_role,
    refusal,
)

_AT: Final = "2026-07-06T09:15:02.118000Z"
_ROW: Final = {
    "id": 4,
    "tenant_id": "acme",
    "slug": "shop",
    "display_name": "Acme Shop",
    "region": "syd1",
    "state": "active",
    "llm_mode": "none",
    "template_code": None,
    "template_version": None,
    "created_at": "2026-07-06T09:14:00Z",
}
_ADDON: Final = {
    "code": "storage_50gb",
    "resource_kind": "spaces_gb_month",
    "qty": "50",
    "price_cents": 750,
    "currency": "AUD",
    "attached_on": "2026-07-06",
    "detached_on": None,
}
_SUBSCRIPTION: Final = {
    "id": 9,
    "status": "active",
    "plan_code": "studio",
    "plan_version": 1,
    "base_price_cents": 5000,
    "currency": "AUD",
    "current_period_start": "2026-07-01",
    "current_period_end": "2026-08-01",
    "trial_ends_at": None,
    "next_plan": None,
    "created_at": _AT,
    "cancelled_at": None,
    "addons": [_ADDON],
    "versions": [{"plan_code": "studio", "plan_version": 1, "starts_on": "2026-07-06", "ends_on": None}],
    "discounts": [],
}


def _event(pk: int, event_type: str, present: str, to: str) -> dict[str, Any]:
    return {
        "id": pk, "type": event_type, "from": present, "to": to, "actor": "user-1", "reason": "",
        "saga_id": None, "at": _AT,
    }  # fmt: skip


_EVENTS: Final = [
    _event(32, "addon_attached", "", "storage_50gb"),
    _event(31, "subscribed", "", "studio/1"),
    _event(30, "created", "", "active"),
]
_MORE: Final = {"resources_count": 2, "subscription": _SUBSCRIPTION, "events": _EVENTS}
_OF_TENANT: Final = {**_ROW, "allowed_transitions": ["paused", "cancelled"], **_MORE}
_OF_OPERATOR: Final = {
    **_ROW,
    "billing_action_suspended": False,
    "allowed_transitions": ["past_due", "paused", "suspended", "cancelled"],
    **_MORE,
}
_NEW: Final = {**_OF_TENANT, "resources_count": 0, "subscription": None, "events": [_EVENTS[-1]]}
_MOVED: Final = {
    **_OF_TENANT,
    "state": "paused",
    "allowed_transitions": ["active", "cancelled"],
    "subscription": {
        **_SUBSCRIPTION,
        "status": "paused",
        "versions": [{**_SUBSCRIPTION["versions"][0], "ends_on": "2026-07-20"}],  # type: ignore[index]
    },
    "events": [
        _event(34, "subscription_moved", "active", "paused"),
        _event(33, "transitioned", "active", "paused"),
        *_EVENTS,
    ],
}
_CHANGED: Final = {
    **_OF_TENANT,
    "subscription": {
        **_SUBSCRIPTION,
        "next_plan": {"plan_code": "starter", "plan_version": 1, "starts_on": "2026-08-01"},
    },
    "events": [_event(33, "plan_change_scheduled", "studio/1", "starter/1"), *_EVENTS],
}


def _body(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


_NOT_OFFERED: Final = refusal(
    "Not offered", 404, code="plan_not_on_sale", detail="there is no plan gold on sale",
    plan_code="There is no plan gold on sale.",
)  # fmt: skip

LIST: Final = [
    *answers_by_role(_ROW, {**_ROW, "billing_action_suspended": False}, status=200),
    UNKNOWN_PARAMETER,
]
CREATE: Final = [
    _body("A tenant", {"slug": "shop", "display_name": "Acme Shop", "region": "syd1"}),
    _body("An operator", {"tenant_id": "acme", "slug": "shop", "trial": True}),
    answer(_NEW, name="Created", status=201),
    refusal(
        "Slug taken",
        409,
        code="slug_taken",
        detail="tenant acme has a deployment shop already",
        slug="Is taken.",
    ),
]
DETAIL: Final = [*answers_by_role(_OF_TENANT, _OF_OPERATOR, status=200), NOT_FOUND]
CHANGE: Final = [
    _body("A name", {"display_name": "The shop"}),
    answer({**_OF_TENANT, "display_name": "The shop"}, name="Changed", status=200),
    NOT_FOUND,
]
TRANSITION: Final = [
    _body("Pause", {"to": "paused", "reason": "closed for the winter"}),
    answer({**_MOVED, "saga_id": None}, name="Moved", status=200),
    answer({**_OF_TENANT, "saga_id": 12}, name="Started", status=202),
    refusal(
        "Operator's move", 403, code="operators_transition",
        detail="only an operator may move a deployment from active to past_due",
    ),
    NOT_FOUND,
    refusal(
        "Moved meanwhile", 409, code="stale_state", detail="deployment shop is no longer active, but paused"
    ),
    refusal(
        "No such move", 422, code="illegal_transition",
        detail="deployment shop: paused -> archived. Allowed from paused: active, cancelled.",
        to="Allowed from paused: active, cancelled.",
    ),
]  # fmt: skip
SUBSCRIBE: Final = [
    _body("Studio", {"plan_code": "studio", "addons": ["storage_50gb"]}),
    answer(_OF_TENANT, name="Subscribed", status=201),
    _NOT_OFFERED,
    refusal(
        "Subscribed already", 409, code="already_subscribed",
        detail="deployment shop is subscribed already; change its plan",
    ),
]  # fmt: skip
ATTACH: Final = [
    _body("Storage", {"code": "storage_50gb"}),
    answer(_OF_TENANT, name="Attached", status=201),
    NOT_FOUND,
    refusal(
        "Attached already", 409, code="addon_attached", detail="deployment shop has storage_50gb already",
        code_="The deployment has storage_50gb already.",
    ),
]  # fmt: skip
DETACH: Final = [NOT_FOUND]
CHANGE_PLAN: Final = [
    _body("Starter", {"plan_code": "starter"}),
    answer(_CHANGED, name="With the next period", status=200),
    _NOT_OFFERED,
    refusal("Unchanged", 409, code="plan_unchanged", detail="deployment shop is on studio/1 already"),
    refusal(
        "Not now", 422, code="downgrade_takes_next_period",
        detail="studio/1 isn't prorated: the cheaper starter/1 follows with the next period",
        when="Must be next_period.",
    ),
]  # fmt: skip
