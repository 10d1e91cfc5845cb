"""The life cycles of an invoice: its ingest and its push."""

from typing import Any

import pytest

from arcadia_cloud.kernel.states import Lifecycle
from billing.finance_push import refresh_push_status
from billing.models import ProviderInvoice
from billing.states import INGEST_LIFECYCLE, PUSH_LIFECYCLE
from tests.billing.rows import AT, an_invoice
from tests.kernel.lifecycles import walk_every_pair

pytestmark = pytest.mark.django_db


def stored(lifecycle: Lifecycle, state: str) -> ProviderInvoice:
    fields: dict[str, Any] = {lifecycle.field: state, "pushed_to_finance_at": AT}
    return an_invoice(**fields)


@pytest.mark.parametrize("lifecycle", [INGEST_LIFECYCLE, PUSH_LIFECYCLE], ids=lambda each: each.field)
def test_every_pair_of_states_is_walked(lifecycle: Lifecycle) -> None:
    walk_every_pair(lifecycle, lambda state: stored(lifecycle, state))


@pytest.mark.parametrize(
    ("fields", "moved_to"),
    [
        ({"push_status": "pushed", "pushed_fingerprint": "another"}, "waiting"),
        ({"push_status": "refused", "pushed_fingerprint": "another"}, "refused"),
        ({"push_status": "waiting", "pushed_fingerprint": ""}, "waiting"),
        ({"push_status": "pushed", "pushed_fingerprint": ""}, "pushed"),
    ],
)
def test_a_changed_invoice_waits_for_its_push_and_a_refusal_stays(
    fields: dict[str, Any], moved_to: str
) -> None:
    invoice = an_invoice(ingest_status="ingested", pushed_to_finance_at=AT, **fields)
    refresh_push_status(invoice)
    assert ProviderInvoice.objects.get().push_status == invoice.push_status == moved_to
