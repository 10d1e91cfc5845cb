"""The forms of the dialogs on a deployment's page."""

from typing import Any

from django import forms
from django.db.models import F, Q
from django.utils import timezone

from arcadia_cloud.kernel.console.lookups import is_key_of
from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, ThemedSelect
from catalog.models import Addon
from catalog.queries import plans_on_offer
from deployments.models import Deployment, SubscriptionAddon, SubscriptionDiscount
from deployments.states import LIVE_SUBSCRIPTIONS
from deployments.values import DISCOUNT_SCOPES, ChangeTime


class ReasonForm(DialogForm):
    """The reason of a move."""

    reason = forms.CharField(
        label="Why", max_length=500, required=False, widget=OneLineInput, help_text="The tenant reads it too."
    )


class DeploymentForm(DialogForm):
    """A form whose choices are those of the deployment of the page; none for one that isn't there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        object_id = str(kwargs["object_id"])  # from the address: it may be anything
        known = is_key_of(Deployment, object_id)
        self.deployment = Deployment.objects.filter(pk=object_id).first() if known else None
        for name, choices in self.choices().items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # each of them is a choice field

    def choices(self) -> dict[str, list[tuple[str, str]]]:
        """Return the choices by their field."""
        return {}


class SubscribeForm(DeploymentForm):
    """A plan that is on offer to the tenant."""

    plan_code = forms.ChoiceField(label="Plan", widget=ThemedSelect)

    def choices(self) -> dict[str, list[tuple[str, str]]]:
        # The plans of the deployment's tenant, as the service will have it: not all that an operator sees.
        tenant = self.deployment.tenant_id if self.deployment else None
        return {"plan_code": [(plan.code, plan.name) for plan in plans_on_offer(tenant)]}


class ChangePlanForm(SubscribeForm):
    """Another plan, or the new price of the present one."""

    when = forms.ChoiceField(
        label="When",
        required=False,
        widget=ThemedSelect,
        choices=[("", "As the plan's rule says"), *ChangeTime.choices],
    )


class AttachForm(DeploymentForm):
    """An add-on that is sold."""

    code = forms.ChoiceField(label="Add-on", widget=ThemedSelect)

    def choices(self) -> dict[str, list[tuple[str, str]]]:
        return {"code": [(addon.code, addon.name) for addon in Addon.objects.filter(active=True)]}


class DetachForm(DeploymentForm):
    """An add-on that is attached."""

    code = forms.ChoiceField(label="Add-on", widget=ThemedSelect)

    def choices(self) -> dict[str, list[tuple[str, str]]]:
        attached = SubscriptionAddon.objects.select_related("addon").filter(
            subscription__deployment=self.deployment,
            subscription__status__in=LIVE_SUBSCRIPTIONS,
            detached_on=None,
        )
        return {"code": [(row.addon.code, row.addon.name) for row in attached]}


class DiscountForm(DialogForm):
    """The terms of a discount."""

    percent = forms.DecimalField(
        label="Percent", required=False, max_digits=9, decimal_places=6, widget=OneLineInput
    )
    amount_cents = forms.IntegerField(
        label="or cents a period", required=False, max_value=10**12, widget=OneLineInput
    )
    scope = forms.ChoiceField(label="Of", choices=DISCOUNT_SCOPES, widget=ThemedSelect)
    valid_from = forms.DateField(
        label="From", required=False, widget=OneLineInput, help_text="Today, unless a date is given."
    )
    valid_to = forms.DateField(
        label="Until", required=False, widget=OneLineInput, help_text="The first day without it."
    )
    reason = forms.CharField(
        label="Why", max_length=500, widget=OneLineInput, help_text="The tenant reads it too."
    )


class EndDiscountForm(DeploymentForm):
    """A discount that has not ended."""

    discount_pk = forms.TypedChoiceField(label="Discount", coerce=int, widget=ThemedSelect)

    def choices(self) -> dict[str, list[tuple[str, str]]]:
        # As ended is what has no day left, and what was withdrawn has none at all.
        not_ended = Q(valid_to=None) | (
            Q(valid_to__gt=timezone.now().date()) & Q(valid_to__gt=F("valid_from"))
        )
        open_ones = SubscriptionDiscount.objects.filter(
            not_ended,
            subscription__deployment=self.deployment,
            subscription__status__in=LIVE_SUBSCRIPTIONS,
        ).order_by("id")
        return {"discount_pk": [(str(row.pk), f"{row}: {row.reason}") for row in open_ones]}
