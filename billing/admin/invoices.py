"""The console's invoices: reconciliation, lines, and the buttons that read, push and accept one."""

from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from arcadia_cloud.kernel.console.actions import Button, actor_of, log_without_row, redirect_to_list
from arcadia_cloud.kernel.console.filters import ChoiceFilter
from arcadia_cloud.kernel.console.formatting import shortened
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, action, display
from arcadia_cloud.kernel.models import Lease
from arcadia_cloud.kernel.queue.broker import BrokerAway
from billing import services
from billing.admin.formatting import INGEST_COLOURS, PUSH_COLOURS, format_dollars
from billing.ingest.lease import lease_name
from billing.models import CostLine, ProviderInvoice
from billing.queries import UNPUSHED, UNRECONCILED
from billing.refresh import request_refresh
from billing.states import IngestStatus, PushStatus
from billing.values import UNPUSHED_CHOICE, UNRECONCILED_CHOICE

_LINES_SHOWN: Final = 100
_INGEST_ASKED: Final = "Reading it again was asked for."
_PUSH_ASKED: Final = "Pushing it again was asked for."


class IngestFilter(ChoiceFilter):
    title = "reconciliation"
    parameter_name = "ingest_status"
    options = ((UNRECONCILED_CHOICE, "Doesn't add up"), *IngestStatus.choices)
    conditions: ClassVar = {UNRECONCILED_CHOICE: UNRECONCILED}


class PushFilter(ChoiceFilter):
    title = "finance"
    parameter_name = "push_status"
    options = ((UNPUSHED_CHOICE, "Not pushed"), *PushStatus.choices)
    conditions: ClassVar = {
        UNPUSHED_CHOICE: UNPUSHED,
        **{str(value): Q(push_status=value, is_preview=False) for value in PushStatus.values},
    }


class AcceptForm(DialogForm):
    """The reason why the difference is right. It is sent as it was shown: by now it may be another."""

    difference = forms.CharField(widget=forms.HiddenInput, required=False)
    note = forms.CharField(label="Why it is right", max_length=500, widget=OneLineInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pk = str(kwargs["object_id"])
        invoice = ProviderInvoice.objects.filter(pk=pk).first() if pk.isdecimal() else None
        difference = invoice.ingest_error if invoice else ""
        self.fields["difference"].initial = difference
        self.fields["note"].help_text = escape(f"The difference: {difference}")  # the theme takes it for HTML


@admin.register(ProviderInvoice)
class ProviderInvoiceAdmin(RecordAdmin[ProviderInvoice]):
    """Invoices, newest month first, read-only. The buttons are for users who may change an invoice."""

    change_form_template = "billing/invoice.html"
    list_display = (
        "month", "invoice_id", "is_preview", "formatted_amount", "tax", "line_count", "reconciliation",
        "finance", "error",
    )  # fmt: skip
    list_filter = (IngestFilter, PushFilter)
    search_fields = ("invoice_uuid", "invoice_id")
    search_help_text = "The invoice's uuid or number"
    ordering = ("-period", "-pk")
    sortable_by = ()
    # What never changes: htmx can't take the form over while a worker is at it, its scripts would run again.
    fields = (("invoice_uuid", "invoice_id"), ("discovered_at", "currency"))
    actions = ("ingest_selected", "push_selected")
    actions_detail = ("ingest_this", "push_this", "accept_this")
    actions_list = ("read_now",)

    def extra_context(self, request: HttpRequest, row: ProviderInvoice) -> dict[str, Any]:
        """Add amounts, states, the first lines, and whether a worker holds the invoice."""
        lines = CostLine.objects.filter(invoice=row).select_related("resource").order_by("line_no")
        reconciliation, finance = self.reconciliation(row), self.finance(row)
        return {
            "invoice": row,
            "amounts": {
                name: format_dollars(getattr(row, name))
                for name in ("amount", "lines_total", "tax_total", "adjustments_total")
            },
            "reconciliation": reconciliation,
            "reconciliation_colour": INGEST_COLOURS.get(reconciliation, ""),
            "finance": finance,
            "finance_colour": PUSH_COLOURS.get(finance, ""),
            "lines": [(line, format_dollars(line.amount)) for line in lines[:_LINES_SHOWN]],
            "has_more_lines": row.line_count > _LINES_SHOWN,
            "all_lines": f"{reverse('admin:billing_costline_changelist')}?invoice={row.pk}",
            "is_busy": Lease.objects.filter(name=lease_name(row.pk), expires_at__gt=Now()).exists(),
        }

    def available_actions(self, request: HttpRequest, invoice: ProviderInvoice) -> list[Button]:
        """Return the buttons that fit the invoice's state."""
        if not self.has_manage_permission(request):
            return []
        fitting = {
            "ingest_this": True,
            "push_this": invoice.is_pushable and settings.SKYAI_FINANCE_ENABLED,
            "accept_this": invoice.ingest_status == IngestStatus.MISMATCH and not invoice.is_preview,
        }
        return self.buttons(invoice, fitting)

    def has_manage_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may have an invoice read, pushed or accepted."""
        return request.user.has_perm("billing.change_providerinvoice")

    @action(
        description="Read now",
        permissions=["manage"],
        icon="receipt_long",
        dialog={
            "title": "Read the bills now?",
            "description": "A worker reads balance, prices and invoices, and computes the costs of the days, "
            "beside the schedule.",
            "form_submit_text": "Read",
        },
    )
    def read_now(self, request: HttpRequest, _form: DialogForm) -> HttpResponse:
        """Ask a worker to read all of billing."""
        try:
            request_refresh(actor=actor_of(request), must_reach_broker=True)
        except BrokerAway as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            log_without_row(request, ProviderInvoice, "billing", "Reading was asked for from the console.")
            self.message_user(request, "A worker was asked to read the bills.", messages.SUCCESS)
        return redirect_to_list(ProviderInvoice)

    @admin.action(description="Read the selected invoices again", permissions=["manage"])
    def ingest_selected(self, request: HttpRequest, queryset: QuerySet[ProviderInvoice]) -> None:
        """Ask workers to read them again."""
        self.run_action_on_each(request, queryset, _ingest, logged=_INGEST_ASKED)

    @admin.action(description="Push the selected invoices to finance again", permissions=["manage"])
    def push_selected(self, request: HttpRequest, queryset: QuerySet[ProviderInvoice]) -> None:
        """Ask workers to push them, whatever finance has."""
        self.run_action_on_each(request, queryset, _push, logged=_PUSH_ASKED)

    @action(
        description="Read again",
        permissions=["manage"],
        icon="sync",
        dialog={
            "title": "Read this invoice again?",
            "description": "A worker reads it again and replaces these lines.",
            "form_submit_text": "Read again",
        },
    )
    def ingest_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Ask a worker to read the invoice of this page again."""
        return self.run_action(request, object_id, _ingest, logged=_INGEST_ASKED, message=_INGEST_ASKED)

    @action(
        description="Push again",
        permissions=["manage"],
        icon="send",
        dialog={
            "title": "Push this invoice to finance again?",
            "description": "Finance has one row of it still. What it refused before is tried again.",
            "form_submit_text": "Push",
        },
    )
    def push_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Ask a worker to push the invoice of this page."""
        return self.run_action(request, object_id, _push, logged=_PUSH_ASKED, message=_PUSH_ASKED)

    @action(
        description="Accept the difference",
        permissions=["manage"],
        icon="check",
        dialog={
            "title": "Accept that it doesn't add up?",
            "description": "It counts as ingested and is pushed. A difference in other words is open again.",
            "form_class": AcceptForm,
            "form_submit_text": "Accept",
        },
    )
    def accept_this(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """Accept the difference of this page's invoice."""
        note, difference = form.cleaned_data["note"], form.cleaned_data["difference"]
        actor = actor_of(request)

        def accept(pk: int) -> ProviderInvoice:
            return services.accept_mismatch(
                invoice_pk=pk, difference=difference, note=note, actor=actor, at=timezone.now()
            )

        return self.run_action(
            request, object_id, accept, logged=f"Accepted: {note}", message=f"Accepted: {note}"
        )

    @display(description="month")
    def month(self, invoice: ProviderInvoice) -> str:
        return f"{invoice.period:%B %Y}"

    @display(description="amount")
    def formatted_amount(self, invoice: ProviderInvoice) -> str:
        return format_dollars(invoice.amount)

    @display(description="tax")
    def tax(self, invoice: ProviderInvoice) -> str:
        return format_dollars(invoice.tax_total)

    @display(description="reconciliation", label=INGEST_COLOURS)
    def reconciliation(self, invoice: ProviderInvoice) -> str:
        is_accepted = invoice.accepted_at and invoice.ingest_status == IngestStatus.INGESTED
        return "accepted" if is_accepted else invoice.ingest_status

    @display(description="finance", label=PUSH_COLOURS)
    def finance(self, invoice: ProviderInvoice) -> str:
        return "never" if invoice.is_preview else invoice.push_status

    @display(description="error")
    def error(self, invoice: ProviderInvoice) -> str:
        return shortened("; ".join(filter(None, (invoice.ingest_error, invoice.push_error))))


def _ingest(pk: int) -> ProviderInvoice:
    return services.request_ingest(invoice_pk=pk)


def _push(pk: int) -> ProviderInvoice:
    return services.request_push(invoice_pk=pk)
