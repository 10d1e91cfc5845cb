"""The alert while the balance or the billing history can't be read: old figures look like new ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from arcadia_cloud.digitalocean.errors import BudgetExhausted, ProviderError
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.errors import describe

UNREAD: Final = "billing_unread"
BALANCE: Final = "billing:balance"
HISTORY: Final = "billing:history"
_NAMES: Final = {BALANCE: "The balance", HISTORY: "The billing history"}


@contextmanager
def alert_while_unread(subject: str) -> Iterator[None]:
    """Raise the alert where the block can't read from the provider, resolve it where it could."""
    try:
        yield
    except BudgetExhausted:
        raise  # the next hour has calls again: no operator is needed
    except ProviderError as error:
        raise_alert(
            code=UNREAD, subject=subject, message=f"{_NAMES[subject]} can't be read: {describe(error)}"
        )
        raise
    resolve_alert(code=UNREAD, subject=subject, actor="billing")
