"""Every page of the console asks as many queries among twenty rows as among a few; found by the URL map.

Lists and the pages of rows are in test_query_counts. Here is what else the pages link to.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver

from catalog.models import Plan
from catalog.services import create_draft
from tests.console.conftest import Login
from tests.console.crawl import crawl, route_of
from tests.console.rows import queries_of, some_of_everything

# Lists, the pages of rows, and those of Django that show one row and its changes.
OF_ROWS: Final = re.compile(r"/[a-z]+/(add/|<path:object_id>/((change|history|delete)/)?|<id>/password/)?$")
# Django's own and the theme's, which show no rows of ours, or only lead to pages that do.
FRAMEWORK: Final = (
    "admin/login/", "admin/logout/", "admin/password_change/done/", "admin/autocomplete/", "admin/jsi18n/",
    "admin/r/<path:content_type_id>/<path:object_id>/", "admin/(?P<url>.*)$", "admin/^(?P<app_label>",
)  # fmt: skip
# Dialogs about one row, or none, in a state that no row here has.
OTHER_STATES: Final = (
    "admin/deployments/deployment/<path:object_id>/move_to_active/",
    "admin/deployments/deployment/<path:object_id>/move_to_archived/",
    "admin/deployments/deployment/<path:object_id>/subscribe/",
    "admin/deployments/deployment/<path:object_id>/allow_billing_actions/",
    "admin/provisioning/sagarun/lift_pause/",
    "admin/provisioning/sagarun/<path:object_id>/begin_this/",
    "admin/provisioning/sagarun/<path:object_id>/retry_this/",
    "admin/provisioning/protectedresource/protect/<int:resource_pk>/",
    "admin/billing/providerinvoice/<path:object_id>/push_this/",
    "admin/billing/providerinvoice/<path:object_id>/accept_this/",
    "admin/auth/user/<path:object_id>/reset_second_factor_of_this/",
    "admin/single-sign-on/",
)
# They take a selection or a form, by POST: their own tests bound them.
FORMS: Final = (
    "admin/inventory/resource/assign/",
    "admin/inventory/resource/clear-assignment/",
    "admin/billing/dailycost/leftovers/clean-up/",
    "admin/billing/plansimulation/simulate/<int:pk>/",
    "admin/billing/plansimulation/<int:pk>/rows/",
)
# Nothing is uncovered here, so that no link leads to it.
BESIDE: Final = ("/admin/drift/drift/coverage/droplet/",)


def routes(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every route below `before`, as `resolve` names it."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern.url_patterns, route)


def test_every_page_beside_the_lists_asks_as_many_queries_at_twenty_rows_as_at_two(login: Login) -> None:
    client = login("superuser")
    some_of_everything(2)
    create_draft(plan_pk=Plan.objects.earliest("pk").pk, actor="a test")
    linked = [*(visit.address for visit in crawl(client, examples=1) if visit.status == 200), *BESIDE]
    # Exports are streamed: their own tests bound them.
    pages = [
        address for address in linked if not OF_ROWS.search(route_of(address)) and "/export/" not in address
    ]
    few = {address: len(queries_of(client, address)) for address in pages}
    some_of_everything(20)

    assert {address: len(queries_of(client, address, again=True)) for address in pages} == few
    known = {*map(route_of, linked), *OTHER_STATES, *FORMS}
    everything = [route for route in routes(get_resolver().url_patterns) if route.startswith("admin/")]
    others = {route for route in everything if not (OF_ROWS.search(route) or route.startswith(FRAMEWORK))}
    assert others - known == set(), "count their queries here, or say why there is nothing to count"
