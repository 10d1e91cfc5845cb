"""The console's list of ignore rules, each with the way to end it."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.filters import ChoiceFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, action, display
from drift.models import DriftIgnoreRule
from drift.services import end_ignore_rule
from inventory.values import Kind


class KindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"
    options = Kind.choices


@admin.register(DriftIgnoreRule)
class DriftIgnoreRuleAdmin(RecordAdmin[DriftIgnoreRule]):
    """Rules by which differences stay out of the inbox, newest first."""

    change_form_template = "drift/rule.html"
    list_display = ("__str__", "covers", "reason", "until", "created_by", "created_at")
    list_filter = (KindFilter,)
    list_select_related = ("resource",)
    sortable_by = ()
    fields = (("kind", "field"), "covers", "reason", "until", ("created_by", "created_at"), "ended_by")
    readonly_fields = ("covers", "until")
    actions_detail = ("end_this",)

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Return none for the page's head: the page has it where the rule is in force."""
        return []

    def has_end_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may end rules."""
        return request.user.has_perm("drift.change_driftignorerule")

    def extra_context(self, request: HttpRequest, row: DriftIgnoreRule) -> dict[str, Any]:
        """Add the button that ends the rule."""
        return {"buttons": self.available_actions(request, row)}

    def available_actions(self, request: HttpRequest, rule: DriftIgnoreRule) -> list[Button]:
        """Return the button of a rule that is in force."""
        fits = self.has_end_permission(request) and not _is_over(rule, at=timezone.now())
        return self.buttons(rule, {"end_this": fits})

    @action(
        description="End",
        permissions=["end"],
        icon="event_busy",
        dialog={
            "title": "End this rule?",
            "description": "What no other rule covers is in the inbox again at once.",
            "form_submit_text": "End the rule",
        },
    )
    def end_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """End the rule of this page."""
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: end_ignore_rule(rule_pk=pk, actor=actor, at=timezone.now()),
            logged="Ended from the console.",
            message="The rule has ended.",
        )

    @display(description="covers")
    def covers(self, rule: DriftIgnoreRule) -> str:
        if rule.resource is not None:
            return row_link("inventory_resource", rule.resource.pk, rule.resource.name)
        return f"tagged {rule.tag}" if rule.tag else "all of the kind"

    @display(description="until", ordering="expires_at")
    def until(self, rule: DriftIgnoreRule) -> str:
        if rule.expires_at is None:
            return NOTHING
        over = " (over)" if _is_over(rule, at=timezone.now()) else ""
        return f"{rule.expires_at:%-d %b %Y, %H:%M} UTC{over}"


def _is_over(rule: DriftIgnoreRule, *, at: datetime) -> bool:
    return rule.expires_at is not None and rule.expires_at <= at
