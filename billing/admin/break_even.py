"""Break-even of a plan version, as a card of its page."""

from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.money import exact_text, format_money
from billing.admin.margin_formatting import cents
from billing.costs.break_even import Outcome
from billing.queries import compute_break_even
from catalog.models import PlanVersion
from catalog.values.kinds import BillingKind
from catalog.version_panels import panel

_LABELS: Final = dict(BillingKind.choices)


@panel
def draw_break_even(request: HttpRequest, version: PlanVersion) -> SafeString:
    """Show it at full allowance and at the median use; nothing to whom may not see costs."""
    if not request.user.has_perm("billing.view_dailycost"):
        return SafeString("")
    try:
        found = compute_break_even(version, at=timezone.now())
    # A draft may make no price yet, and a rate may be missing: the page is shown all the same.
    except DomainError as refusal:
        return render_to_string("billing/break_even.html", {"refusal": refusal.detail})
    outcomes = [_describe("at full allowance", found.full)]
    if found.median is not None:
        words = f"at the median use of its subscriptions in {found.month.start:%B %Y}"
        outcomes.append(_describe(words, found.median))
    return render_to_string("billing/break_even.html", {"outcomes": outcomes, "median": found.median})


def _describe(words: str, outcome: Outcome) -> dict[str, Any]:
    result = outcome.result
    verb = "loses" if result.amount < 0 else "earns"
    amount = f"{Decimal(exact_text(abs(result).amount)):,} {result.currency}"
    return {
        "sentence": f"{words[:1].upper()}{words[1:]} this version {verb} {amount}.",
        "is_loss": result.amount < 0,
        "revenue": format_money(outcome.revenue),
        "cost": format_money(outcome.cost),
        "unpriced": "; ".join(str(_LABELS.get(kind, kind)) for kind in outcome.unpriced),
        "kinds": [
            (_LABELS.get(row.kind, row.kind), f"{round(row.quantity, 2).normalize():,f}", cents(row.cost))
            for row in outcome.kinds
        ],
    }
