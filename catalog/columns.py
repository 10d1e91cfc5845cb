"""Columns that several of the catalog's tables have: quantities, currencies, prices and dates in force."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.contrib.postgres.fields import DateRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from arcadia_cloud.kernel.money import Money, minor_digits
from catalog.values.checks import QUANTITY_PLACES

# The refusals of a row by its terms' types: msgspec's own is no ValueError.
NO_TERMS: Final = (ValueError, ArithmeticError, msgspec.ValidationError)


class DateRange(models.Func):
    """The days from one date until the day before another, without an end where that is null."""

    function = "daterange"
    output_field = DateRangeField()


def quantity_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a field for a quantity, as usage is kept."""
    return models.DecimalField(max_digits=24, decimal_places=QUANTITY_PLACES, **options)


def currency_field() -> "models.CharField[Any, Any]":
    """Return a field for an ISO 4217 code."""
    return models.CharField(max_length=3, default="AUD")


def is_currency(name: str) -> models.CheckConstraint:
    """Keep the column `currency` to ISO 4217 codes."""
    return models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name=name)


def money_of(cents: Decimal, currency: str) -> Money:
    """Convert a price with fractions of a minor unit."""
    return Money(cents.scaleb(-minor_digits(currency)), currency)


def require_terms(row: models.Model, make: Callable[[], object]) -> None:
    """Raise ValidationError for a row that makes no terms, in words: a constraint would only name itself.

    A row that lacks a value is left to that field's own error.
    """
    needed = [field for field in row._meta.concrete_fields if not field.null and not field.primary_key]
    if any(getattr(row, field.attname) is None for field in needed):
        return
    try:
        make()
    except NO_TERMS as error:
        raise ValidationError(f"These terms make no price: {error}.") from error


class MakesTerms(models.Model):
    """A row of which a quote's terms are made; a form refuses values that make none."""

    class Meta:
        abstract = True

    def clean(self) -> None:
        require_terms(self, self.terms)

    def terms(self) -> object:
        """Return what a quote needs of it. Raises one of NO_TERMS."""
        raise NotImplementedError
