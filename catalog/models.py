"""Plans and their versions, add-ons, dated prices and taxes. Prices are in minor units, without tax.

The database keeps the rules: one active version a plan, published versions that never change (by the triggers
of the second migration), no two dated prices of one thing on one day.
"""

from decimal import Decimal
from typing import Any

import msgspec
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from arcadia_cloud.kernel.money import Money
from catalog.columns import (
    NO_TERMS,
    DateRange,
    MakesTerms,
    currency_field,
    is_currency,
    money_of,
    quantity_field,
    require_terms,
)
from catalog.errors import InvalidTerms, VersionPublished
from catalog.states import VersionStatus
from catalog.values.checks import QUANTITY_PLACES
from catalog.values.kinds import BillingInterval, BillingKind, PriceModelName
from catalog.values.terms import (
    AddonTerms,
    GraduatedPrice,
    ItemTerms,
    PackagePrice,
    PerUnitPrice,
    PlanTerms,
    PriceModel,
    Proration,
    ResourceRate,
    TaxTerms,
    Tier,
    VolumePrice,
)

CENTS_PLACES = 10  # of a price a unit: parts of a minor unit
TIERED = (PriceModelName.GRADUATED, PriceModelName.VOLUME)
ENDS_LATER = "It ends after the day on which it begins."


class TierRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier as an item's JSON has it: figures are strings, so that none was ever a float."""

    unit_price_cents: str
    flat_fee_cents: str = "0"
    up_to: str | None = None

    def terms(self, currency: str) -> Tier:
        """Return what a quote needs of it. Raises ArithmeticError for text that is no number."""
        return Tier(
            up_to=None if self.up_to is None else Decimal(self.up_to),
            unit_price=money_of(Decimal(self.unit_price_cents), currency),
            flat_fee=money_of(Decimal(self.flat_fee_cents), currency),
        )


class Plan(models.Model):
    """The stable thing that is sold; its prices stand in versions. Not public: for named tenants only."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    public = models.BooleanField(default=True)
    sort = models.IntegerField(default=0)

    class Meta:
        db_table = "plans"
        ordering = ["sort", "code"]
        indexes = [models.Index(fields=["sort", "id"], name="plans_in_order")]

    def __str__(self) -> str:
        return self.name


class PlanTenant(models.Model):
    """A tenant that a plan is offered to although it isn't public."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="tenants")
    tenant_id = models.TextField("tenant")

    class Meta:
        db_table = "plan_tenants"
        constraints = [
            models.UniqueConstraint(fields=["plan", "tenant_id"], name="plan_offered_once_per_tenant"),
            models.CheckConstraint(condition=~Q(tenant_id=""), name="plan_tenant_named"),
        ]

    def __str__(self) -> str:
        return self.tenant_id


class PlanVersion(models.Model):
    """One set of terms of a plan, which subscriptions bind to. Once published it only retires.

    `publish_note` is why it was published although something spoke against it, empty where nothing did.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    base_price_cents = models.BigIntegerField(validators=[MinValueValidator(0)])
    currency = currency_field()
    billing_interval = models.CharField(max_length=10, choices=BillingInterval, default=BillingInterval.MONTH)
    proration = models.CharField(max_length=10, choices=Proration, default=Proration.NONE)
    status = models.CharField(max_length=10, choices=VersionStatus, default=VersionStatus.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    publish_note = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        db_table = "plan_versions"
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_once"),
            # Of two publishers that both got here, the index lets one through.
            models.UniqueConstraint(
                fields=["plan"], condition=Q(status="active"), name="plan_has_one_active_version"
            ),
            models.CheckConstraint(
                condition=Q(base_price_cents__gte=0), name="plan_version_price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None) | ~Q(status="draft") & ~Q(published_at=None),
                name="plan_version_published_once_no_draft",
            ),
            models.CheckConstraint(
                condition=Q(status__in=VersionStatus.values), name="plan_version_status_known"
            ),
            models.CheckConstraint(
                condition=Q(proration__in=Proration.values), name="plan_version_proration_known"
            ),
            models.CheckConstraint(
                condition=Q(billing_interval__in=BillingInterval.values), name="plan_version_interval_known"
            ),
            is_currency("plan_version_currency_code"),
        ]

    def __str__(self) -> str:
        return f"{self.plan.code}/{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A first save may be of any status; the life cycle's moves go by update, not through here.
        if not self._state.adding:
            self.assert_draft()
        super().save(*args, **kwargs)

    def assert_draft(self) -> None:
        """Raise VersionPublished for a version that was published."""
        if self.status != VersionStatus.DRAFT:
            raise VersionPublished(f"{self} was published and never changes; make a new draft from it")

    def terms(self) -> PlanTerms:
        """Return what a quote needs of it. Raises InvalidTerms where its rows make no price."""
        try:
            return PlanTerms(
                plan=self.plan.code,
                version=self.number,
                base_price=Money.from_cents(self.base_price_cents, self.currency),
                proration=Proration(self.proration),
                items=tuple(item.terms(self.currency) for item in self.items.all()),
            )
        except NO_TERMS as error:
            raise InvalidTerms(f"{self}: {error}") from error


class PlanItem(models.Model):
    """The terms of a version for one kind: an allowance of a whole interval, and the price of what is over.

    `overage_price_cents` buys `overage_unit`. `tiers` are rows of TierRow, priced per unit. Without either
    the resource prices decide.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="items")
    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    included_qty = quantity_field(default=Decimal(0))
    overage_unit = quantity_field(default=Decimal(1))
    overage_price_cents = models.BigIntegerField(null=True, blank=True)
    hard_cap_qty = quantity_field(null=True, blank=True)
    price_model = models.CharField(max_length=10, choices=PriceModelName, default=PriceModelName.PER_UNIT)
    tiers = models.JSONField(default=list, blank=True)
    minimum_cents = models.BigIntegerField(null=True, blank=True)
    maximum_cents = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "plan_items"
        ordering = ["version", "resource_kind"]
        constraints = [
            models.UniqueConstraint(fields=["version", "resource_kind"], name="plan_item_kind_once"),
            models.CheckConstraint(
                condition=Q(included_qty__gte=0)
                & Q(overage_unit__gt=0)
                & (Q(hard_cap_qty=None) | Q(hard_cap_qty__gte=0)),
                name="plan_item_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=(Q(overage_price_cents=None) | Q(overage_price_cents__gte=0))
                & (Q(minimum_cents=None) | Q(minimum_cents__gte=0))
                & (Q(maximum_cents=None) | Q(maximum_cents__gte=0)),
                name="plan_item_prices_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(minimum_cents=None)
                | Q(maximum_cents=None)
                | Q(minimum_cents__lte=F("maximum_cents")),
                name="plan_item_minimum_under_maximum",
                violation_error_message="The minimum spend is at most the maximum.",
            ),
            models.CheckConstraint(
                condition=Q(price_model__in=TIERED, overage_price_cents=None) & ~Q(tiers=[])
                | ~Q(price_model__in=TIERED) & Q(tiers=[]),
                name="plan_item_tiers_where_tiered",
                violation_error_message="A tiered price has tiers and no single price; others have no tiers.",
            ),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="plan_item_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(price_model__in=PriceModelName.values), name="plan_item_price_model_known"
            ),
        ]

    def __str__(self) -> str:
        return self.resource_kind

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.version.assert_draft()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.version.assert_draft()
        return super().delete(*args, **kwargs)

    def clean(self) -> None:
        require_terms(self, lambda: self.terms(self.version.currency))

    def terms(self, currency: str) -> ItemTerms:
        """Return what a quote needs of it, in the version's currency."""
        return ItemTerms(
            kind=self.resource_kind,
            included=self.included_qty,
            price=self._price(currency),
            hard_cap=self.hard_cap_qty,
            minimum=Money.from_cents(self.minimum_cents, currency),
            maximum=Money.from_cents(self.maximum_cents, currency),
        )

    def _price(self, currency: str) -> PriceModel | None:
        if self.price_model in TIERED:
            tiers = tuple(row.terms(currency) for row in msgspec.convert(self.tiers, list[TierRow]))
            graduated = self.price_model == PriceModelName.GRADUATED
            return GraduatedPrice(tiers=tiers) if graduated else VolumePrice(tiers=tiers)
        if self.overage_price_cents is None:
            return None
        price = Money.from_cents(self.overage_price_cents, currency)
        if self.price_model == PriceModelName.PACKAGE:
            return PackagePrice(unit=self.overage_unit, price=price)
        return PerUnitPrice(unit=self.overage_unit, price=price)


class Addon(MakesTerms):
    """More of a kind for a price a month. A subscription snapshots price and quantity when it attaches it."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    qty = quantity_field()
    price_cents = models.BigIntegerField(validators=[MinValueValidator(0)])
    currency = currency_field()
    active = models.BooleanField(default=True)

    class Meta:
        db_table = "addons"
        verbose_name = "add-on"
        ordering = ["code"]
        indexes = [models.Index(fields=["code", "id"], name="addons_in_order")]
        constraints = [
            models.CheckConstraint(condition=Q(price_cents__gte=0), name="addon_price_not_negative"),
            models.CheckConstraint(condition=Q(qty__gt=0), name="addon_quantity_positive"),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="addon_kind_known"
            ),
            is_currency("addon_currency_code"),
        ]

    def __str__(self) -> str:
        return self.name

    def terms(self) -> AddonTerms:
        """Return what a quote needs of it, as it is today."""
        return AddonTerms(
            code=self.code,
            kind=self.resource_kind,
            quantity=self.qty,
            price=Money.from_cents(self.price_cents, self.currency),
        )


class ResourcePrice(MakesTerms):
    """A dated price of a kind that a plan doesn't price: `price_cents`, with fractions, buys `unit_qty`."""

    resource_kind = models.CharField(max_length=40, choices=BillingKind)
    currency = currency_field()
    unit_qty = quantity_field(default=Decimal(1))
    price_cents = models.DecimalField(max_digits=22, decimal_places=CENTS_PLACES)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "resource_prices"
        ordering = ["resource_kind", "currency", "effective_from"]
        constraints = [
            ExclusionConstraint(
                name="resource_price_overlaps_none",
                violation_error_message="Another price of this kind and currency is in force on these days.",
                expressions=[
                    ("resource_kind", RangeOperators.EQUAL),
                    ("currency", RangeOperators.EQUAL),
                    (DateRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(price_cents__gte=0) & Q(unit_qty__gt=0), name="resource_price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gt=F("effective_from")),
                name="resource_price_forward",
                violation_error_message=ENDS_LATER,
            ),
            models.CheckConstraint(
                condition=Q(resource_kind__in=BillingKind.values), name="resource_price_kind_known"
            ),
            is_currency("resource_price_currency_code"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_kind} from {self.effective_from}"

    def terms(self) -> ResourceRate:
        """Return what a quote needs of it."""
        price = money_of(self.price_cents, self.currency)
        return ResourceRate(
            kind=self.resource_kind,
            price=PerUnitPrice(unit=self.unit_qty, price=price),
            valid_from=self.effective_from,
            valid_to=self.effective_to,
        )


class TaxRate(MakesTerms):
    """A dated tax on what is sold in a currency, in percent of the total."""

    code = models.CharField(max_length=20)
    currency = currency_field()
    percent = models.DecimalField(max_digits=9, decimal_places=QUANTITY_PLACES)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "tax_rates"
        ordering = ["currency", "code", "effective_from"]
        constraints = [
            ExclusionConstraint(
                name="tax_rate_overlaps_none",
                violation_error_message="Another rate of this tax is in force on these days.",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    ("currency", RangeOperators.EQUAL),
                    (DateRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(percent__gte=0), name="tax_rate_not_negative"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gt=F("effective_from")),
                name="tax_rate_forward",
                violation_error_message=ENDS_LATER,
            ),
            is_currency("tax_rate_currency_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.percent:f} %"

    def terms(self) -> TaxTerms:
        """Return what a quote needs of it."""
        return TaxTerms(
            code=self.code,
            currency=self.currency,
            percent=self.percent,
            valid_from=self.effective_from,
            valid_to=self.effective_to,
        )
