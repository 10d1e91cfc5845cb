"""The tables of the provider's charges to us: balances, invoices, their lines and the rest of the history."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.money import Money
from arcadia_cloud.kernel.periods import Period, month_of
from billing.states import IngestStatus, PushStatus
from billing.values import DECIMAL_PLACES, MATCHED, MAX_DIGITS, TAX, Match
from inventory.models import ResourceSpan
from inventory.values import PROVIDER, PROVIDER_CURRENCY


def _amount_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """An amount in major units, as exact as the provider bills."""
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **options)


class BalanceSnapshot(models.Model):
    """The balance within one hour; a later look in the same hour replaces it. Positive is owed.

    `generated_at` is the provider's clock. Amounts in US dollars. Source: API reference,
    `GET /v2/customers/my/balance`.
    """

    provider = models.CharField(max_length=40, default=PROVIDER)
    hour = models.DateTimeField()
    month_to_date_balance = _amount_field()
    account_balance = _amount_field()
    month_to_date_usage = _amount_field()
    currency = models.CharField(max_length=3, default=PROVIDER_CURRENCY)
    generated_at = models.DateTimeField()
    captured_at = models.DateTimeField()

    class Meta:
        db_table = "cloud_balance_snapshots"
        constraints = [
            models.UniqueConstraint(fields=["provider", "hour"], name="balance_once_an_hour"),
            models.CheckConstraint(
                condition=Q(hour__minute=0, hour__second=0, captured_at__gte=F("hour")),
                name="balance_hour_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.hour:%Y-%m-%d %H}h"


class ProviderInvoiceQuerySet(models.QuerySet["ProviderInvoice"]):
    """Invoices by what may be done with them."""

    def find(self, pk: int) -> "ProviderInvoice":
        """Return one invoice. Raises NotFound."""
        invoice = self.filter(pk=pk).first()
        if invoice is None:
            raise NotFound(f"invoice {pk} is gone: a preview goes when the final invoice comes")
        return invoice

    def final(self) -> Self:
        """Leave the previews of running months out."""
        return self.filter(is_preview=False)

    def previews(self) -> Self:
        """Keep the previews of running months alone."""
        return self.filter(is_preview=True)

    def to_ingest(self) -> Self:
        """Keep what isn't ingested, and previews, which always are to be read again."""
        return self.exclude(ingest_status=IngestStatus.INGESTED, is_preview=False)

    def pushable(self) -> Self:
        """Keep what finance may have: final invoices that add up."""
        return self.final().filter(ingest_status=IngestStatus.INGESTED)

    def due_for_push(self, at: datetime) -> Self:
        """Keep what finance hasn't got as it is now, once the pause after a fault is over."""
        return self.pushable().filter(
            Q(next_push_at=None) | Q(next_push_at__lte=at), push_status=PushStatus.WAITING
        )

    def oldest_first(self) -> list[int]:
        """Return their keys, in the order in which they are worked on."""
        return list(self.order_by("period", "pk").values_list("pk", flat=True))


class ProviderInvoice(models.Model):
    """An invoice that the provider sent us, or the preview of the month that still runs.

    `period` is the first day of the month it is for. `amount` is the provider's total; `lines_total` and
    `tax_total` are sums of the lines, `adjustments_total` is the part of `amount` that stands in the
    summary alone. `items_count`: how many of the provider's JSON items the lines were held against, null
    where there were none. `accepted_*`: an operator's word that this difference, in these words, is fine.
    `pushed_fingerprint` is of what finance took last, empty where that isn't known: an answer may be lost.
    """

    provider = models.CharField(max_length=40, default=PROVIDER)
    invoice_uuid = models.TextField("invoice UUID")
    invoice_id = models.TextField("invoice ID", blank=True, default="")
    period = models.DateField()
    issued_on = models.DateField(null=True, blank=True)
    is_preview = models.BooleanField(default=False)
    amount = _amount_field()
    currency = models.CharField(max_length=3, default=PROVIDER_CURRENCY)
    discovered_at = models.DateTimeField(db_default=Now())

    ingest_status = models.CharField(max_length=10, choices=IngestStatus, default=IngestStatus.PENDING)
    ingested_at = models.DateTimeField(null=True, blank=True)
    ingest_error = models.TextField(blank=True, default="")
    line_count = models.PositiveIntegerField(default=0)
    lines_total = _amount_field(default=Decimal(0))
    tax_total = _amount_field(default=Decimal(0))
    adjustments_total = _amount_field(default=Decimal(0))
    items_count = models.PositiveIntegerField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.TextField(blank=True, default="")
    accepted_note = models.TextField(blank=True, default="")
    accepted_error = models.TextField(blank=True, default="")

    push_status = models.CharField(max_length=10, choices=PushStatus, default=PushStatus.WAITING)
    pushed_to_finance_at = models.DateTimeField(null=True, blank=True)
    finance_invoice_id = models.TextField("finance's invoice ID", blank=True, default="")
    finance_action = models.CharField(max_length=10, blank=True, default="")
    push_error = models.TextField(blank=True, default="")
    push_attempts = models.PositiveIntegerField(default=0)
    next_push_at = models.DateTimeField(null=True, blank=True)
    pushed_fingerprint = models.CharField(max_length=64, blank=True, default="")

    objects = ProviderInvoiceQuerySet.as_manager()

    class Meta:
        db_table = "cloud_invoices"
        verbose_name = "invoice"
        constraints = [
            models.UniqueConstraint(fields=["provider", "invoice_uuid"], name="invoice_once"),
            # A preview's uuid changes within its month, so the uuid alone would let two stand.
            models.UniqueConstraint(
                fields=["provider", "period"], condition=Q(is_preview=True), name="invoice_one_preview"
            ),
            models.CheckConstraint(condition=Q(period__day=1), name="invoice_period_is_a_month"),
            models.CheckConstraint(condition=~Q(invoice_uuid=""), name="invoice_named"),
            models.CheckConstraint(
                condition=Q(ingest_status__in=IngestStatus.values), name="invoice_ingest_status_known"
            ),
            models.CheckConstraint(
                condition=Q(push_status__in=PushStatus.values), name="invoice_push_status_known"
            ),
            models.CheckConstraint(
                condition=Q(is_preview=False) | Q(pushed_to_finance_at=None), name="invoice_preview_unpushed"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_note="") | ~Q(accepted_at=None) & ~Q(accepted_note=""),
                name="invoice_accepted_with_a_note",
            ),
            models.CheckConstraint(
                condition=~Q(push_status=PushStatus.PUSHED) | ~Q(pushed_to_finance_at=None),
                name="invoice_pushed_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["period", "id"], name="invoice_of_period")]

    def __str__(self) -> str:
        kind = "preview" if self.is_preview else "invoice"
        return f"{kind} {self.invoice_id or self.invoice_uuid} of {self.period:%Y-%m}"

    @property
    def alert_subject(self) -> str:
        """Return its name in alerts, by which the console links to it."""
        return f"invoice:{self.pk}"

    @property
    def month(self) -> Period:
        """Return the month that it is for."""
        return month_of(self.period)

    @property
    def period_end(self) -> date:
        """Return the first day after the month."""
        return self.month.end

    @property
    def is_issued_after_its_period(self) -> bool:
        """Return whether it is the month's last; one that a usage threshold brought about comes within it.

        Where the day isn't known yet: it was there when it was discovered.
        """
        return (self.issued_on or self.discovered_at.date()) >= self.period_end

    @property
    def is_pushable(self) -> bool:
        """Return whether finance may have it: a final invoice that adds up."""
        return not self.is_preview and self.ingest_status == IngestStatus.INGESTED

    @property
    def amount_gross_minor(self) -> int:
        """Return what we pay, in cents."""
        return Money(self.amount, self.currency).cents

    @property
    def amount_tax_minor(self) -> int:
        """Return the part of it that is tax, in cents."""
        return Money(self.tax_total, self.currency).cents

    @property
    def amount_net_minor(self) -> int:
        """Return the rest, in cents."""
        return self.amount_gross_minor - self.amount_tax_minor


class BillingEntry(models.Model):
    """One other entry of the billing history: a payment, a credit, a refund or the like.

    The provider gives it no id, so all of its fields are its key; `number` distinguishes equal ones. `amount`
    is negative where it lowers what we owe. Append-only by its key.
    """

    provider = models.CharField(max_length=40, default=PROVIDER)
    type = models.TextField()
    date = models.DateTimeField()
    amount = _amount_field()
    description = models.TextField(blank=True, default="")
    invoice_uuid = models.TextField("invoice UUID", null=True, blank=True)  # noqa: DJ001 - null is what the provider sends
    number = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "cloud_billing_entries"
        verbose_name_plural = "billing entries"
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "date", "type", "amount", "description", "invoice_uuid", "number"],
                name="billing_entry_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="billing_entry_numbered"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.date:%Y-%m-%d}"


class InvoiceItemsPart(models.Model):
    """Items of an invoice that were read before the hour's calls were spent: those in front of `next_offset`.

    `rows` are CSV, as `ingest/items.py` writes them, `total` is the provider's count. Gone once the invoice
    has its lines.
    """

    invoice = models.ForeignKey(ProviderInvoice, models.CASCADE, related_name="+", db_index=False)
    next_offset = models.PositiveIntegerField()
    total = models.PositiveIntegerField(null=True, blank=True)
    rows = models.TextField()

    class Meta:
        db_table = "cloud_invoice_items"
        constraints = [
            models.UniqueConstraint(fields=["invoice", "next_offset"], name="invoice_items_part_once")
        ]

    def __str__(self) -> str:
        return f"items of {self.invoice_id} up to {self.next_offset}"


class CostLineQuerySet(models.QuerySet["CostLine"]):
    """Lines by whose they are."""

    def of_deployment(self, deployment_pk: int) -> Self:
        """Keep those of which the deployment has a part, as `costs/sql/part_lines_by_owner.sql` divides."""
        spans = ResourceSpan.objects.filter(resource=OuterRef("resource"))
        of_the_same = ResourceSpan.objects.filter(resource=OuterRef("resource"))
        earlier = of_the_same.filter(during__startswith__lt=OuterRef("during__startswith"))
        # Another span that began later, but before the line did, has all of its hours.
        successor = of_the_same.filter(
            during__startswith__gt=OuterRef("during__startswith"),
            during__startswith__lte=OuterRef(OuterRef("started_at")),
        )
        held = spans.filter(
            Q(during__startswith__lt=OuterRef("ended_at"))
            | Q(during__startswith__lte=OuterRef("started_at"))
            | ~Exists(earlier),
            ~Exists(successor),
            deployment=deployment_pk,
        )
        return self.filter(
            Exists(held) | Q(resource__deployment=deployment_pk) & ~Exists(spans),
            # The index of lines by resource finds them; the rest is looked up for these alone.
            Q(resource__in=ResourceSpan.objects.filter(deployment=deployment_pk).values("resource"))
            | Q(resource__deployment=deployment_pk),
        )


class CostLine(models.Model):
    """One line of a provider's invoice, kept as billed; what is derived from it stands after `category`.

    `amount` is in major units of the invoice's currency, unrounded. `item_resource_*` are the ids that the
    line's JSON item had. Replaced whole with its invoice. Source: the invoice's CSV.
    """

    invoice = models.ForeignKey(ProviderInvoice, models.CASCADE, related_name="lines", db_index=False)
    line_no = models.PositiveIntegerField()
    product = models.TextField(blank=True)
    group_description = models.TextField(blank=True)
    description = models.TextField(blank=True)
    hours = _amount_field(null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    amount = _amount_field()
    project_name = models.TextField(blank=True)
    category = models.TextField(blank=True)
    item_resource_id = models.TextField("item's resource ID", blank=True)
    item_resource_uuid = models.TextField("item's resource UUID", blank=True)
    kind = models.CharField(max_length=40)
    name = models.TextField(blank=True)
    is_tax = models.BooleanField()
    resource = models.ForeignKey(
        "inventory.Resource", models.PROTECT, null=True, blank=True, related_name="cost_lines", db_index=False
    )
    match = models.CharField(max_length=10, choices=Match)

    objects = CostLineQuerySet.as_manager()

    class Meta:
        db_table = "cloud_cost_lines"
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line_no"], name="costline_ingested_once"),
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")), name="costline_period_forward"
            ),
            models.CheckConstraint(
                condition=Q(match__in=[str(match) for match in MATCHED], resource__isnull=False)
                | Q(match__in=[str(Match.AMBIGUOUS), str(Match.NONE)], resource__isnull=True),
                name="costline_matched_to_a_resource",
            ),
            models.CheckConstraint(
                condition=Q(is_tax=False) | Q(kind=TAX, resource__isnull=True), name="costline_tax_is_nobodys"
            ),
        ]
        indexes = [
            models.Index(fields=["invoice", "id"], name="costline_of_invoice"),
            models.Index(
                fields=["resource"], condition=Q(resource__isnull=False), name="costline_of_resource"
            ),
            # What is tried again when inventory learns of a resource.
            models.Index(
                fields=["kind"], condition=Q(resource__isnull=True, is_tax=False), name="costline_unmatched"
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line_no} of {self.invoice_id}"
