"""The account check: a token is used only once it is known to belong to the account that is ours.

DigitalOcean answers for whatever account a token belongs to: with another one's, our droplets are not found
and a stranger's invoices come in. Which account is ours is the registered check's to know.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Final, TypeAlias

from arcadia_cloud.digitalocean.records import AccountRecord

ACCOUNT_PATH: Final = "/v2/account"
KNOWN_SECONDS: Final = 3600.0  # a token keeps its account for ever; ours may be pinned anew by hand

AccountCheck: TypeAlias = Callable[[AccountRecord], None]  # raises WrongAccount


class AccountChecks:
    """The registered check, and the tokens that passed it in this process. Safe in threads."""

    def __init__(self) -> None:
        self.check: AccountCheck | None = None
        self._lock = threading.Lock()
        self._passed_at: dict[str, float] = {}

    def is_needed(self, base_url: str, token: str) -> bool:
        """Return whether the token's account must be asked for before the token is used."""
        if self.check is None:
            return False
        with self._lock:
            passed_at = self._passed_at.get(_fingerprint(base_url, token))
        return passed_at is None or time.monotonic() > passed_at + KNOWN_SECONDS

    def require_ours(self, account: AccountRecord, *, base_url: str, token: str) -> None:
        """Check the account that the provider named for the token. Raises WrongAccount."""
        if self.check is None:
            return
        fingerprint = _fingerprint(base_url, token)
        with self._lock:
            self._passed_at.pop(fingerprint, None)
        self.check(account)
        with self._lock:
            self._passed_at[fingerprint] = time.monotonic()

    def forget(self) -> None:
        """Forget which tokens passed."""
        with self._lock:
            self._passed_at.clear()


account_checks: Final = AccountChecks()


def register_account_check(check: AccountCheck) -> None:
    """Have `check` called with the account of each token before its first use, and once an hour.

    What it raises ends the call that the token was read for; nothing is sent.
    """
    account_checks.check = check


def _fingerprint(base_url: str, token: str) -> str:
    return hashlib.sha256(f"{base_url} {token}".encode()).hexdigest()
