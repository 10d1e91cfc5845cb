"""Actions on a deployment from its page: moves, its subscription, discounts, the override."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, action
from deployments.admin.dialogs import (
    AttachForm,
    ChangePlanForm,
    DetachForm,
    DiscountForm,
    EndDiscountForm,
    ReasonForm,
    SubscribeForm,
)
from deployments.models import Deployment
from deployments.queries import allowed_moves, get_subscription_for_deployment
from deployments.services import (
    attach_addon,
    change_plan_version,
    create_subscription,
    detach_addon,
    end_discount,
    give_discount,
    transition,
    update_deployment,
)
from deployments.states import SUBSCRIBABLE
from deployments.values import ChangeTime

Dialog = Callable[..., HttpResponse]
# A service, from the page's deployment, the dialog's values, the actor and the time.
Act = Callable[[int, dict[str, Any], dict[str, Any]], object]

_MOVES: Final = {
    "active": "move_to_active",
    "past_due": "move_to_past_due",
    "paused": "move_to_paused",
    "suspended": "move_to_suspended",
    "cancelled": "move_to_cancelled",
    "archived": "move_to_archived",
}


def _dialog(
    words: str,
    act: Act,
    *,
    icon: str,
    description: str,
    form: type[DialogForm],
    permission: str = "act",
    done: str = "Done.",
) -> Dialog:
    """Make a button of the page: its dialog asks, posting it calls a service and logs what was done."""

    @action(
        description=words,
        permissions=[permission],
        icon=icon,
        dialog={
            "title": f"{words}?",
            "description": description,
            "form_class": form,
            "form_submit_text": words,
        },
    )
    def run(
        admin: RecordAdmin[Deployment], request: HttpRequest, form: DialogForm, object_id: str
    ) -> HttpResponse:
        # Without the dialog's own field, which says that it was posted.
        values = {name: value for name, value in form.cleaned_data.items() if not name.startswith("_")}

        def call(pk: int) -> Deployment:
            act(pk, values, {"actor": actor_of(request), "at": timezone.now()})
            return Deployment.objects.get(pk=pk)

        return admin.run_action(request, object_id, call, logged=f"{words}, from the console.", message=done)

    return run


def _move(to: str, words: str, icon: str, description: str) -> Dialog:
    def act(pk: int, values: dict[str, Any], by: dict[str, Any]) -> object:
        return transition(deployment_pk=pk, to=to, reason=values["reason"], **by)

    done = "Moved, or being moved by its saga: see the history."
    return _dialog(words, act, icon=icon, description=description, form=ReasonForm, done=done)


def _change_plan(pk: int, values: dict[str, Any], by: dict[str, Any]) -> object:
    when = ChangeTime(values["when"]) if values["when"] else None
    return change_plan_version(deployment_pk=pk, plan_code=values["plan_code"], when=when, **by)


def _override(pk: int, suspended: bool, by: dict[str, Any]) -> object:
    return update_deployment(deployment_pk=pk, changes={"billing_action_suspended": suspended}, **by)


class DeploymentActionsAdmin(RecordAdmin[Deployment]):
    """Adds the dialogs of a deployment's page; it shows those that fit its state."""

    logged_fields = ("state", "billing_action_suspended")
    actions_detail = (
        *_MOVES.values(), "subscribe", "change_plan", "attach", "detach", "give_discount", "end_discount",
        "suspend_billing_actions", "allow_billing_actions",
    )  # fmt: skip

    move_to_active = _move(
        "active",
        "Activate",
        "play_arrow",
        "Its subscription is resumed where it was paused, its machines too.",
    )
    move_to_past_due = _move(
        "past_due", "Mark as past due", "event_busy", "The tenant owes. It goes on running, and is charged."
    )
    move_to_paused = _move(
        "paused",
        "Pause",
        "pause",
        "Its subscription is paused with it, and its machines are stopped by a saga.",
    )
    move_to_suspended = _move(
        "suspended", "Suspend", "block", "Its machines are stopped by a saga. Its subscription goes on."
    )
    move_to_cancelled = _move(
        "cancelled", "Cancel the deployment", "cancel", "Its subscription ends today. There is no way back."
    )
    move_to_archived = _move(
        "archived",
        "Archive",
        "archive",
        "It is over, and nothing changes any more. Offboard its machines first.",
    )
    subscribe = _dialog(
        "Subscribe",
        lambda pk, values, by: create_subscription(deployment_pk=pk, **values, **by),
        icon="add_card",
        description="To the plan's active version. The first period is this month.",
        form=SubscribeForm,
    )
    change_plan = _dialog(
        "Change the plan",
        _change_plan,
        icon="swap_horiz",
        description="To a plan's active version; the present plan takes its new price.",
        form=ChangePlanForm,
    )
    attach = _dialog(
        "Attach an add-on",
        lambda pk, values, by: attach_addon(deployment_pk=pk, **values, **by),
        icon="add",
        description="At today's price, which it keeps.",
        form=AttachForm,
    )
    detach = _dialog(
        "Detach an add-on",
        lambda pk, values, by: detach_addon(deployment_pk=pk, **values, **by),
        icon="remove",
        description="Today is its first day without.",
        form=DetachForm,
    )
    give_discount = _dialog(
        "Give a discount",
        lambda pk, values, by: give_discount(deployment_pk=pk, **values, **by),
        icon="sell",
        description="A percentage, or an amount a period. It applies after those that were given before.",
        form=DiscountForm,
        permission="discount",
    )
    end_discount = _dialog(
        "End a discount",
        lambda _pk, values, by: end_discount(**values, **by),
        icon="money_off",
        description="Today is the first day without it.",
        form=EndDiscountForm,
        permission="discount",
    )
    suspend_billing_actions = _dialog(
        "Suspend billing actions",
        lambda pk, _values, by: _override(pk, True, by),
        icon="shield",
        description="Whatever it owes: trial ends and other automatic actions leave it alone.",
        form=DialogForm,
    )
    allow_billing_actions = _dialog(
        "Allow billing actions",
        lambda pk, _values, by: _override(pk, False, by),
        icon="remove_moderator",
        description="Trial ends and other automatic actions count for it again.",
        form=DialogForm,
    )

    def has_act_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may move deployments and change their subscriptions."""
        return request.user.has_perm("deployments.change_deployment")

    def has_discount_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may give and end discounts."""
        return request.user.has_perm("deployments.change_subscriptiondiscount")

    def available_actions(self, request: HttpRequest, row: Deployment) -> list[Button]:
        """Return the buttons of the moves that its state allows, and of what fits its subscription."""
        may, may_discount = self.has_act_permission(request), self.has_discount_permission(request)
        subscription = get_subscription_for_deployment(row.pk)
        live = subscription is not None and subscription.is_live
        moves = allowed_moves(row.state, as_tenant=False)
        return self.buttons(
            row,
            {
                **{name: may and to in moves for to, name in _MOVES.items()},
                "subscribe": may and not live and row.state in SUBSCRIBABLE,
                "change_plan": may and live,
                "attach": may and live,
                "detach": may and live,
                "give_discount": may_discount and live,
                "end_discount": may_discount and live,
                "suspend_billing_actions": may and not row.billing_action_suspended,
                "allow_billing_actions": may and row.billing_action_suspended,
            },
        )
