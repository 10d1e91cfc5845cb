"""The simulations of a plan version, as a card of its page and of that of its publication."""

from typing import Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from billing.admin.formatting import SIMULATION_COLOURS, format_amount
from billing.admin.simulations import sums_of
from billing.models.simulations import MOST_MONTHS
from billing.queries import simulations_of_version
from catalog.models import PlanVersion
from catalog.version_panels import panel

_SHOWN: Final = 5


@panel
def draw_simulations(request: HttpRequest, version: PlanVersion) -> SafeString:
    """Show the newest simulations and ask for another; nothing to whom may see none. One query."""
    if not request.user.has_perm("billing.view_plansimulation"):
        return SafeString("")
    found = list(simulations_of_version(version.pk)[:_SHOWN])
    # A failed one after it takes nothing from what the last completed one showed.
    newest = next((each for each in found if each.is_completed), None)
    context = {
        "version": version,
        "simulations": [
            (
                each,
                SIMULATION_COLOURS[each.status],
                format_amount(each.difference if each.is_completed else None, each.currency),
            )
            for each in found
        ],
        "newest": newest,
        "sums": sums_of(newest) if newest else (),
        "may_simulate": request.user.has_perm("catalog.change_planversion"),
        "month_choices": range(1, MOST_MONTHS + 1),
    }
    # With the request: the form in it needs its token.
    return render_to_string("billing/version_panel.html", context, request=request)
