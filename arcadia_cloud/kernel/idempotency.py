"""The first answer to a request that creates, kept in the transaction of its effect.

The key's row is written before the effect and filled in after it. Its unique constraint makes a second
request with the same key wait for the first one's commit, so that both get one answer and there is one
effect; if the first is rolled back, the second goes ahead as the first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.models import IdempotencyKey

KEPT_FOR: Final = timedelta(hours=24)
_WAIT_MILLISECONDS: Final = 5000
_FIRST_SERVER_ERROR: Final = 500

# An expired row is taken over in place: it may still be there until the nightly sweep.
_CLAIM: Final = """
    INSERT INTO idempotency_keys AS kept (scope, key, fingerprint, status, headers, body, created_at)
    VALUES (%(scope)s, %(key)s, %(fingerprint)s, NULL, '{}', '', %(at)s)
    ON CONFLICT (scope, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = NULL, headers = '{}', body = '',
        created_at = excluded.created_at
    WHERE kept.created_at < %(expired)s
    RETURNING id
"""


class KeyReused(Conflict):
    """The key was used for a request with another body."""

    code = "idempotency_key_reused"


class KeyInUse(Conflict):
    """A request with this key is still being worked on."""

    code = "idempotency_key_in_use"


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The first response to a key: the HTTP status, the headers worth repeating, the body's text."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def respond_once(
    *, scope: str, key: str, fingerprint: str, at: datetime, effect: Callable[[], StoredResponse]
) -> tuple[StoredResponse, bool]:
    """Run `effect` and store its response for 24 hours; return a repeat the stored one and True, run nothing.

    Effect and response commit together. A response of 500 or more, or an error that `effect` raises, undoes
    both. `scope` is tenant, subject and route; `at` is the request's time. Raises KeyReused for another
    body and KeyInUse when the first request takes longer than five seconds. Opens the outermost transaction.
    """
    with transaction.atomic(durable=True):
        row = _claim(scope=scope, key=key, fingerprint=fingerprint, at=at)
        if row is None:
            stored = IdempotencyKey.objects.filter(scope=scope, key=key, status__isnull=False).first()
            # The nightly sweep may have deleted it since the claim found it there.
            if stored is None or stored.status is None:
                raise KeyInUse("A request with this Idempotency-Key is just being forgotten; send it again.")
            if stored.fingerprint != fingerprint:
                refusal = "This Idempotency-Key was used for a request with another body."
                raise KeyReused(refusal, errors={"Idempotency-Key": ["Was used with another body."]})
            return StoredResponse(stored.status, stored.body, stored.headers), True
        response = effect()
        # The key goes too: a repeat after an error of ours shall run again.
        if response.status >= _FIRST_SERVER_ERROR:
            transaction.set_rollback(True)
        else:
            # In the effect's transaction: an answer must not be kept for a day without its effect.
            IdempotencyKey.objects.filter(pk=row).update(
                status=response.status, headers=dict(response.headers), body=response.body
            )
    return response, False


def _claim(*, scope: str, key: str, fingerprint: str, at: datetime) -> int | None:
    """Return the new row's id, or None when the key is taken. Waits for a transaction that is taking it."""
    parameters: dict[str, str | datetime] = {
        "scope": scope,
        "key": key,
        "fingerprint": fingerprint,
        "at": at,
        "expired": at - KEPT_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        usual_timeout: Any = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{_WAIT_MILLISECONDS}ms"])
        try:
            cursor.execute(_CLAIM, parameters)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise KeyInUse("A request with this Idempotency-Key is still being worked on.") from error
            raise
        claimed = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual_timeout])
    return int(claimed[0]) if claimed else None
