"""The console's money audit: what its rules found, and a button to run them."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import actor_of, log_without_row, redirect_to_list
from arcadia_cloud.kernel.console.filters import ChoiceFilter, StateFilter
from arcadia_cloud.kernel.console.formatting import link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, action, display
from arcadia_cloud.kernel.queue.broker import BrokerAway
from arcadia_cloud.kernel.queue.schedule.next_run import describe_next_run, next_runs
from arcadia_cloud.kernel.subject_links import url_of
from billing.models import AuditFinding
from billing.queries import RULES, codes_of, find_rule, latest_audit
from billing.services import AUDIT_TASK, request_audit
from billing.values import AuditSeverity


class RuleFilter(ChoiceFilter):
    title = "rule"
    parameter_name = "rule"
    # Not a query: rules are code, and a list of them that reads the findings would read them all.
    options = tuple((rule.code, rule.title) for rule in RULES)


class AuditSeverityFilter(ChoiceFilter):
    title = "severity"
    parameter_name = "severity"
    options = AuditSeverity.choices
    # By the rules of now: a rule that became graver takes its old findings along.
    conditions: ClassVar = {
        str(severity): Q(rule__in=codes_of(AuditSeverity(severity))) for severity in AuditSeverity
    }


class FindingStateFilter(StateFilter):
    title = "state"
    parameter_name = "state"
    default = "open"
    options = (("open", "Open"), ("closed", "Closed"), ("all", "All"))
    conditions: ClassVar = {
        "open": Q(closed_at__isnull=True),
        "closed": Q(closed_at__isnull=False),
        "all": Q(),
    }


@admin.register(AuditFinding)
class AuditFindingAdmin(RecordAdmin[AuditFinding]):
    """Findings of the money audit, open ones unless others are asked for, the newest first."""

    list_before_template = "billing/latest_audit.html"
    list_display = (
        "title", "severity_label", "about", "expected", "actual", "first_seen_at", "last_seen_at",
        "closed_at",
    )  # fmt: skip
    list_filter = (RuleFilter, AuditSeverityFilter, FindingStateFilter)
    fieldsets = (
        (None, {"fields": ("title", "explanation", "severity_label", "about", "expected", "actual")}),
        ("When", {"fields": ("first_seen_at", "last_seen_at", "closed_at")}),
    )
    readonly_fields = ("title", "explanation", "severity_label", "about")
    sortable_by = ()
    actions_list = ("audit_now",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the newest run: an empty list proves nothing before the first."""
        at = timezone.now()
        next_run = describe_next_run(next_runs([AUDIT_TASK], at=at), AUDIT_TASK, at=at)
        context = {**(extra_context or {}), "audit": latest_audit(), "next_run": next_run}
        return super().changelist_view(request, context)

    def has_start_permission(self, request: HttpRequest) -> bool:
        """Check whether the user may start a run: the right to add one, since none is added by hand."""
        return request.user.has_perm("billing.add_auditrun")

    @action(
        description="Run now",
        permissions=["start"],
        icon="fact_check",
        dialog={
            "title": "Run the money audit now?",
            "description": "A worker judges the whole book by every rule, beside the nightly run.",
            "form_submit_text": "Run",
        },
    )
    def audit_now(self, request: HttpRequest, _form: DialogForm) -> HttpResponse:
        """Ask a worker to run the audit."""
        try:
            request_audit(actor=actor_of(request))
        except BrokerAway as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            log_without_row(request, AuditFinding, "money audit", "Started from the console.")
            self.message_user(request, "A worker was asked to run the audit.", messages.SUCCESS)
        return redirect_to_list(AuditFinding)

    @display(description="rule")
    def title(self, finding: AuditFinding) -> str:
        rule = find_rule(finding.rule)
        return rule.title if rule else finding.rule

    @display(description="what it means")
    def explanation(self, finding: AuditFinding) -> str:
        rule = find_rule(finding.rule)
        return rule.explanation if rule else "The rule is one of an earlier version."

    @display(description="severity", label={"red": "danger", "yellow": "warning"})
    def severity_label(self, finding: AuditFinding) -> str:
        rule = find_rule(finding.rule)
        return str(rule.severity) if rule else "of an earlier version"

    @display(description="about")
    def about(self, finding: AuditFinding) -> str:
        address = url_of(finding.link)
        return link(address, finding.subject) if address else finding.subject
