"""The console's invoices: how each adds up, its lines, and the buttons that read, push and accept it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.models import Lease
from arcadia_cloud.kernel.record_admin import RecordAdmin
from arcadia_cloud.kernel.theme import DialogForm, DropdownFilter, OneLineInput, action, display
from billing import services
from billing.admin.presenting import INGEST_COLOURS, PUSH_COLOURS, money, shortened
from billing.models import CostLine, ProviderInvoice
from billing.naming import lease_of
from billing.values import IngestStatus, PushStatus

_LINES_SHOWN: Final = 100


class IngestFilter(DropdownFilter):
    title = "how it adds up"
    parameter_name = "ingest_status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in IngestStatus.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ProviderInvoice]
    ) -> QuerySet[ProviderInvoice]:
        return queryset.filter(ingest_status=self.value()) if self.value() else queryset


class PushFilter(DropdownFilter):
    title = "finance"
    parameter_name = "push_status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in PushStatus.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ProviderInvoice]
    ) -> QuerySet[ProviderInvoice]:
        return queryset.filter(push_status=self.value(), is_preview=False) if self.value() else queryset


class AcceptForm(DialogForm):
    """Why the difference is right."""

    note = forms.CharField(label="Why it is right", max_length=500, widget=OneLineInput)


@admin.register(ProviderInvoice)
class ProviderInvoiceAdmin(RecordAdmin[ProviderInvoice]):
    """Invoices, newest month first. Who may change an invoice may press the buttons: nobody edits one."""

    change_form_template = "console/invoice.html"
    list_display = (
        "period", "invoice_id", "is_preview", "how_much", "tax", "line_count", "adds_up", "finance", "why",
    )  # fmt: skip
    list_filter = (IngestFilter, PushFilter)
    search_fields = ("invoice_uuid", "invoice_id")
    search_help_text = "The invoice's uuid or number"
    ordering = ("-period", "-pk")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("period", "invoice_id", "invoice_uuid", "issued_on", "is_preview", "how_much")}),
        (
            "How it adds up",
            {
                "fields": (
                    "adds_up", "ingest_error", "lines", "tax", "adjustments", "items_count", "discovered_at",
                    "ingested_at", "accepted_at", "accepted_by", "accepted_note",
                ),
            },
        ),
        (
            "Finance",
            {
                "fields": (
                    "finance", "push_error", "pushed_to_finance_at", "finance_action", "finance_invoice_id",
                    "push_attempts", "next_push_at",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = ("how_much", "tax", "adds_up", "lines", "adjustments", "finance")
    actions = ("ingest_selected", "push_selected")
    actions_detail = ("ingest_this", "push_this", "accept_this")

    def beside(self, request: HttpRequest, row: ProviderInvoice) -> dict[str, Any]:
        """The first lines, and whether a worker is at it."""
        lines = CostLine.objects.filter(invoice=row).select_related("resource").order_by("line_no")
        return {
            "lines": [(line, money(line.amount)) for line in lines[:_LINES_SHOWN]],
            "has_more_lines": row.line_count > _LINES_SHOWN,
            "all_lines": f"{reverse('admin:billing_costline_changelist')}?invoice={row.pk}",
            "is_busy": Lease.objects.filter(name=lease_of(row.pk), expires_at__gt=Now()).exists(),
        }

    def has_manage_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Whether the user may have an invoice read, pushed or accepted."""
        return request.user.has_perm("billing.change_providerinvoice")

    @admin.action(description="Read the selected invoices again", permissions=["manage"])
    def ingest_selected(self, request: HttpRequest, queryset: QuerySet[ProviderInvoice]) -> None:
        """Ask workers to fetch them anew."""
        for invoice in queryset.order_by("pk"):
            self._ask(request, invoice, services.request_ingest, "Reading it again was asked for.")

    @admin.action(description="Push the selected invoices to finance again", permissions=["manage"])
    def push_selected(self, request: HttpRequest, queryset: QuerySet[ProviderInvoice]) -> None:
        """Ask workers to push them, whatever finance has."""
        for invoice in queryset.order_by("pk"):
            self._ask(request, invoice, services.request_push, "Pushing it again was asked for.")

    @action(
        description="Read again",
        permissions=["manage"],
        icon="sync",
        dialog={
            "title": "Read this invoice again?",
            "description": "A worker fetches it anew and puts its lines in the place of these.",
            "form_submit_text": "Read again",
        },
    )
    def ingest_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Ask a worker to fetch the invoice of this page."""
        return self._ask_here(request, object_id, services.request_ingest, "Reading it again was asked for.")

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
        return self._ask_here(request, object_id, services.request_push, "Pushing it again was asked for.")

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
        """Take the difference of this page's invoice for right."""
        note = form.cleaned_data["note"]

        def accept(*, invoice_pk: int) -> None:
            actor = f"user:{request.user.get_username()}"
            services.accept_mismatch(invoice_pk=invoice_pk, note=note, actor=actor, at=timezone.now())

        return self._ask_here(request, object_id, accept, f"Accepted: {note}")

    def _ask_here(
        self, request: HttpRequest, object_id: str, ask: Callable[..., None], words: str
    ) -> HttpResponse:
        invoice = self.get_object(request, object_id)
        if invoice is not None:
            self._ask(request, invoice, ask, words)
        address = reverse("admin:billing_providerinvoice_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": address})

    def _ask(
        self, request: HttpRequest, invoice: ProviderInvoice, ask: Callable[..., None], words: str
    ) -> None:
        try:
            ask(invoice_pk=invoice.pk)
        except DomainError as refusal:
            self.message_user(request, f"{invoice}: {refusal}", messages.ERROR)
        else:
            self.log_change(request, invoice, words)
            self.message_user(request, f"{invoice}: {words}", messages.SUCCESS)

    @display(description="amount")
    def how_much(self, invoice: ProviderInvoice) -> str:
        return money(invoice.amount)

    @display(description="tax")
    def tax(self, invoice: ProviderInvoice) -> str:
        return money(invoice.tax_total)

    @display(description="sum of the lines")
    def lines(self, invoice: ProviderInvoice) -> str:
        return f"{money(invoice.lines_total)} in {invoice.line_count:,}"

    @display(description="in the summary alone")
    def adjustments(self, invoice: ProviderInvoice) -> str:
        return money(invoice.adjustments_total)

    @display(description="adds up", label=INGEST_COLOURS)
    def adds_up(self, invoice: ProviderInvoice) -> str:
        return "accepted" if invoice.accepted_at else invoice.ingest_status

    @display(description="finance", label=PUSH_COLOURS)
    def finance(self, invoice: ProviderInvoice) -> str:
        return "never" if invoice.is_preview else invoice.push_status

    @display(description="in words")
    def why(self, invoice: ProviderInvoice) -> str:
        return shortened("; ".join(filter(None, (invoice.ingest_error, invoice.push_error))))
