"""Examples of the sagas API's answers, for the schema and its page."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.examples import NOT_FOUND, answer, answers_by_role, refusal

_STARTED_AT: Final = "2026-11-23T09:15:02.118000Z"
_FINISHED_AT: Final = "2026-11-23T09:15:02.161000Z"
_SAGA: Final = {
    "id": 12,
    "kind": "echo",
    "status": "rolled_back",
    "tenant_id": None,
    "deployment_id": None,
    "created_at": "2026-11-23T09:15:02.090000Z",
    "start_at": None,
    "started_at": _STARTED_AT,
    "finished_at": _FINISHED_AT,
}
_SAGA_OF_TENANT: Final = {**_SAGA, "tenant_id": "acme", "deployment_id": 4}
_SAGA_OF_OPERATORS: Final = {
    **_SAGA,
    "direction": "backward",
    "step_modules": ["echo", "fail"],
    "current_step_idx": 0,
    "subjects": [],
    "requested_by": "operator-1",
    "cancel_requested": False,
    "cancel_requested_by": "",
    "cancel_requested_at": None,
    "error": {"reason": "step_failed:fail", "compensate_from_idx": 0},
    "compensation_failures": 0,
    "recoveries": 0,
    "not_after": None,
    "begun_at": "2026-11-23T09:15:02.090000Z",
    "wake_at": None,
    "wait_reason": "",
    "retry_of": None,
}
_STEPS: Final = [
    {
        "step_idx": 0,
        "name": "echo",
        "status": "compensated",
        "started_at": _STARTED_AT,
        "finished_at": "2026-11-23T09:15:02.131000Z",
    },
    {
        "step_idx": 1,
        "name": "fail",
        "status": "failed",
        "started_at": "2026-11-23T09:15:02.131000Z",
        "finished_at": "2026-11-23T09:15:02.144000Z",
    },
]
_OF_STEPS: Final[list[dict[str, Any]]] = [
    {
        "output": {"echoed_at_step_0": "hello"},
        "error": None,
        "attempts": 1,
        "began_at": _STARTED_AT,
        "compensation_attempts": 1,
        "compensation_started_at": "2026-11-23T09:15:02.144000Z",
        "compensation_finished_at": _FINISHED_AT,
    },
    {
        "output": {},
        "error": {"type": "FinalError", "message": "this step always fails"},
        "attempts": 1,
        "began_at": "2026-11-23T09:15:02.131000Z",
        "compensation_attempts": 0,
        "compensation_started_at": None,
        "compensation_finished_at": None,
    },
]
_INPUTS: Final = {"message": "hello", "times": 1, "then_fail": True}
_DETAIL_OF_TENANT: Final = {**_SAGA_OF_TENANT, "steps": _STEPS}
_DETAIL_OF_OPERATORS: Final = {
    **_SAGA_OF_OPERATORS,
    "inputs": _INPUTS,
    "context": {"echoed_at_step_0": "hello"},
    "steps": [{**step, **more} for step, more in zip(_STEPS, _OF_STEPS, strict=True)],
}
_STARTED: Final = {
    **_DETAIL_OF_OPERATORS,
    "status": "pending",
    "direction": "forward",
    "started_at": None,
    "finished_at": None,
    "error": None,
    "context": {},
    "steps": [],
}
_KIND: Final = {
    "kind": "echo",
    "title": "Echo a message",
    "description": "`times` echoes of `message`, then, with `then_fail`, a step that fails.",
    "deadline_seconds": 3600,
    "inputs": {
        "$ref": "#/$defs/EchoInputs",
        "$defs": {
            "EchoInputs": {
                "title": "EchoInputs",
                "type": "object",
                "properties": {
                    "message": {"type": "string", "maxLength": 1000},
                    "times": {"type": "integer", "minimum": 1, "maximum": 100, "default": 3},
                    "then_fail": {"type": "boolean", "default": False},
                },
                "required": ["message"],
                "additionalProperties": False,
            }
        },
    },
}


_BAD_INPUTS: Final = refusal(
    "Bad inputs",
    400,
    code="invalid_input",
    detail="inputs.times: Must be at most 100.",
    inputs__times="Must be at most 100.",
)
_BUSY: Final = refusal(
    "Busy",
    409,
    code="saga_subject_busy",
    detail="saga 11 is working on droplet:480012156",
)
_TOO_LATE: Final = refusal(
    "Too late",
    409,
    code="saga_state",
    detail="saga 12 is completed: it can't be cancelled any more",
)
_NOT_SCHEDULED: Final = refusal(
    "Not scheduled", 409, code="saga_state", detail="saga 12 is running: it waits for no start"
)
_LIMIT: Final = refusal(
    "Account limit",
    409,
    code="account_limit",
    detail="the account's droplet_limit is 25, and it has 25 of them: 1 more can't be made; "
    "destroy what isn't needed, or have DigitalOcean raise the limit",
)
_PLAN: Final = {
    "kind": "power_off_droplet",
    "title": "Power a droplet off",
    "is_startable": False,
    "steps": [
        {
            "name": "look_at_droplet",
            "description": "Store the droplet's state before anything is done to it.",
        },
        {
            "name": "shut_down_droplet",
            "description": "Shut the droplet down, and switch it off when its guest ignores that.",
        },
    ],
    "subjects": ["droplet:480012156"],
    "tenant_id": "acme",
    "deployment_id": 4,
    "creates": [],
    "changes": [{"kind": "droplet", "name": "shop-web-01 (480012156)", "detail": "active to off"}],
    "destroys": [],
    "powered_off": ["shop-web-01 is off until it is powered on again"],
    "monthly_price_change_cents": 0,
    "currency": "USD",
    "price_note": "a droplet costs the same on and off",
    "brakes": [
        {
            "code": "resource_protected",
            "outcome": "refused",
            "message": "droplet 480012156 is protected: take its mark or its tag away first",
        }
    ],
    "unchecked": "",
    "offer_read_at": "2026-11-23T09:15:00.000000Z",
}

# Of a list, one row each: the schema lays the page around it.
LIST: Final = answers_by_role(_SAGA_OF_TENANT, _SAGA_OF_OPERATORS, status=200)
DETAIL: Final = [*answers_by_role(_DETAIL_OF_TENANT, _DETAIL_OF_OPERATORS, status=200), NOT_FOUND]
START: Final = [
    OpenApiExample("Echo", value={"kind": "echo", "inputs": _INPUTS}, request_only=True),
    OpenApiExample(
        "Echo at night",
        value={
            "kind": "echo",
            "inputs": _INPUTS,
            "start_at": "2026-11-24T02:00:00Z",
            "not_after": "2026-11-24T04:00:00Z",
        },
        request_only=True,
    ),
    answer(_STARTED, name="Started", status=201),
    _BAD_INPUTS,
    _BUSY,
    _LIMIT,
]
PLAN: Final = [
    OpenApiExample(
        "Power off",
        value={"kind": "power_off_droplet", "inputs": {"droplet_id": 480_012_156}},
        request_only=True,
    ),
    answer(_PLAN, name="Plan", status=200),
    _BAD_INPUTS,
]
BEGIN: Final = [answer(_DETAIL_OF_OPERATORS, name="Saga", status=200), NOT_FOUND, _NOT_SCHEDULED]
ACTION: Final = [
    answer(_DETAIL_OF_OPERATORS, name="Saga", status=200),
    NOT_FOUND,
    _TOO_LATE,
]
RETRY: Final = [*ACTION, answer({**_STARTED, "id": 13, "retry_of": 12}, name="Started again", status=201)]
KINDS: Final = [answer({"results": [_KIND]}, name="Echo")]
EVENTS: Final = [
    answer(
        {
            "next": "https://cloud.example.com/api/v1/events?cursor=81211.5120%3AaS6c",
            "has_more": False,
            "results": [
                {
                    "id": 5119,
                    "tenant_id": "acme",
                    "subject": "saga",
                    "subject_id": 12,
                    "type": "completed",
                    "at": _FINISHED_AT,
                    "details": {"kind": "resize_droplet", "deployment_id": 4},
                },
                {
                    "id": 5120,
                    "tenant_id": "acme",
                    "subject": "resource",
                    "subject_id": 48,
                    "type": "updated",
                    "at": "2026-11-23T09:20:01.000000Z",
                    "details": {
                        "kind": "droplet",
                        "name": "shop-web-01",
                        "changes": {"status": ["active", "off"]},
                    },
                },
            ],
        },
        name="Two events",
        status=200,
    )
]
