"""The console's undercharges and price accuracy of a closed month, and their empty states."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from billing.models import ProviderPrice
from tests.billing.csv_files import a_line
from tests.billing.rows import a_resource
from tests.billing.spans import give_spans
from tests.billing.test_cost_checks import BIRTH, a_price, bill, compute
from tests.console.conftest import Login
from tests.console.rows import queries_of

pytestmark = pytest.mark.django_db
PAGES = "/admin/billing/dailycost/"
UNDERCHARGES, ACCURACY = f"{PAGES}undercharges/", f"{PAGES}accuracy/"
PRICES = "/admin/billing/providerprice/"


def text_of(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer
    return " ".join(html.unescape(answer.content.decode()).split())


def an_unbilled(name: str, **span: Any) -> int:
    resource = a_resource(name)
    give_spans(resource, [(BIRTH, None, {"sku": "s", **span})])
    return int(resource.pk)


def test_before_any_month_is_billed_both_say_why_they_are_empty(viewer: Client) -> None:
    assert "No month is billed yet" in text_of(viewer, UNDERCHARGES)
    assert "No month is billed yet" in text_of(viewer, ACCURACY)
    assert "2026-03 isn't billed" in text_of(viewer, UNDERCHARGES, period="2026-03")
    assert "2026-03 has no billed days" in text_of(viewer, ACCURACY, period="2026-03")
    assert viewer.get(UNDERCHARGES, {"period": "march"}).status_code == 404


def test_undercharges_name_what_since_and_how_much_and_link_to_it(viewer: Client) -> None:
    a_price()
    bill(a_line(1, amount="20.00"), amount="20.00")
    assert "There are none in April 2026: each resource" in text_of(viewer, UNDERCHARGES)
    missing = an_unbilled("missing", tenant_id="acme")
    shown = text_of(viewer, UNDERCHARGES)
    assert f'href="/admin/inventory/resource/{missing}/change/">missing</a>' in shown
    assert shown.index("acme") < shown.index("1 Jan 2025") < shown.index("720") < shown.rindex("$24.00")
    few = len(queries_of(viewer, UNDERCHARGES))
    for number in range(60):
        an_unbilled(f"m{number}")
    shown = text_of(viewer, UNDERCHARGES)
    assert "Page 1 of 2" in shown
    assert "$1,464.00" in shown, "the sum is of all pages"
    assert "?period=2026-04&page=2" in shown
    assert "Page 2 of 2" in text_of(viewer, UNDERCHARGES, period="2026-04", page="2")
    assert len(queries_of(viewer, UNDERCHARGES)) == few


def test_what_has_no_price_is_neither_free_nor_verified(viewer: Client) -> None:
    a_price(sku="s")
    for name, sku in (("web-01", "s"), ("web-02", "unknown")):
        give_spans(a_resource(name), [(BIRTH, None, {"sku": sku})])
    give_spans(a_resource("shop", kind="app"), [(BIRTH, None, {})])
    bill(a_line(1, amount="20.00"), a_line(2, "shop", "5.00", product="App Platform"), amount="25.00")
    compute()
    rows = re.findall(r"<tr> <td>.*?</tr>", text_of(viewer, ACCURACY))
    app, droplet = (re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows)
    assert droplet[1:5] == ["$20.00", "at least $24.00", "at least $4.00", "30"]
    assert app[1:5] == ["$5.00", "-", "-", "30"]
    assert app[5].endswith(f'href="{PRICES}?kind=app">none</a>')


def test_a_price_that_was_not_verified_is_marked_in_the_list_and_in_the_accuracy(
    viewer: Client, billing: Client
) -> None:
    a_price(is_verified=False)
    give_spans(a_resource("web-01"), [(BIRTH, None, {})])
    bill(a_line(1, amount="20.00"), amount="20.00")
    compute()
    assert "not verified" in text_of(viewer, PRICES, is_verified="False")
    assert viewer.get(PRICES, {"is_verified": "True"}).context["cl"].result_count == 0
    shown = text_of(viewer, ACCURACY)
    assert (
        shown.index("Droplet") < shown.index("$20.00") < shown.index("$24.00") < shown.index("1 not verified")
    )
    assert f"{PRICES}?kind=droplet&is_verified=False" in shown
    # An operator has looked it up.
    price = ProviderPrice.objects.get()
    form = billing.get(f"{PRICES}{price.pk}/change/").context["adminform"].form
    sent = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    assert billing.post(f"{PRICES}{price.pk}/change/", {**sent, "is_verified": "on"}).status_code == 302
    assert "not verified" not in text_of(viewer, ACCURACY)


def test_a_login_without_rights_sees_neither(login: Login) -> None:
    client = login("")
    assert [client.get(address).status_code for address in (UNDERCHARGES, ACCURACY)] == [403, 403]


@pytest.fixture
def billing(login: Login) -> Client:
    return login("billing")
