"""A quote as an operator tries it out: the question's form, and its lines with their reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django import forms

from arcadia_cloud.kernel.console.theme import OneLineInput, ThemedCheckboxes
from arcadia_cloud.kernel.money import format_money
from arcadia_cloud.kernel.periods import Period, parse_month
from catalog.admin.formatting import format_quantity
from catalog.models import Addon
from catalog.values.checks import QUANTITY_PLACES
from catalog.values.kinds import BillingKind
from catalog.values.lines import LineType, Quote, QuoteLine

_DIGITS: Final = 24
_KINDS: Final[Mapping[str, str]] = {str(kind): str(kind.label) for kind in BillingKind}


class PreviewForm(forms.Form):
    """A month, add-ons, and what is used of each kind."""

    month = forms.CharField(widget=OneLineInput, help_text="As 2026-07.")
    addons = forms.MultipleChoiceField(label="Add-ons", required=False, widget=ThemedCheckboxes)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold = Addon.objects.filter(active=True, currency=currency).order_by("code")
        self.fields["addons"].choices = [(addon.code, f"{addon.name} ({addon.code})") for addon in sold]  # type: ignore[attr-defined] # a field of choices
        for kind, label in _KINDS.items():
            self.fields[kind] = forms.DecimalField(
                label=label,
                required=False,
                min_value=0,
                max_digits=_DIGITS,
                decimal_places=QUANTITY_PLACES,
                widget=OneLineInput(attrs={"inputmode": "decimal"}),
            )

    def clean_month(self) -> Period:
        """Read the month."""
        try:
            return parse_month(self.cleaned_data["month"])
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    @property
    def usage(self) -> dict[str, Decimal]:
        """The quantities that are used, by kind; a kind that was left empty isn't there."""
        return {kind: self.cleaned_data[kind] for kind in _KINDS if self.cleaned_data.get(kind) is not None}


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a quote, formatted. `reasons` are its steps in words."""

    kind: str
    name: str
    used: str
    included: str
    overage: str
    price: str
    amount: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def line_views(quote: Quote) -> list[LineView]:
    """Return the lines of a quote for a table."""
    return [_line_view(line) for line in quote.lines]


def _line_view(line: QuoteLine) -> LineView:
    price = "" if line.price is None else format_money(line.price, exact=True)
    return LineView(
        kind=str(line.type.label),
        name=_KINDS.get(line.code, line.code),
        used=format_quantity(line.used),
        included=format_quantity(line.included),
        overage=format_quantity(line.overage),
        price=f"{price} per {format_quantity(line.unit)}" if line.unit is not None else price,
        amount=format_money(line.amount),
        # Each step of a fee in full says no more than the price beside it.
        reasons=tuple(
            f"{step.source}: {step}" if step.source else str(step)
            for step in (*line.basis, *line.charges)
            if not (line.type in {LineType.BASE_FEE, LineType.ADDON} and step.rule == "in_full")
        ),
        warnings=tuple(str(code.label) for code in line.warnings),
    )
