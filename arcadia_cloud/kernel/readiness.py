"""Readiness checks, before traffic comes here: a registry that apps fill from `AppConfig.ready()`.

A check asks quickly, and its message may be read by strangers: the endpoint is public, so no address, name
of a host or error text of a library belongs in it.
"""

import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Final, TypeAlias

import structlog
from django.db import DatabaseError, InterfaceError, connections

log = structlog.get_logger(__name__)
ANSWER_SECONDS: Final = 1.5  # for all checks together; a load balancer is given its answer within two seconds


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check: whether all is well, and in `message` what was seen.

    Traffic is turned away only when something `vital` isn't well. What the service can do without for a
    while is reported, but a load balancer that took every instance away for it would make it worse.
    """

    ok: bool
    message: str
    vital: bool = True


Check: TypeAlias = Callable[[], CheckResult]


@dataclass(slots=True)
class _Attempt:
    """One call of a check, by a thread of its own: whatever hangs keeps that thread alone."""

    name: str
    check: Check
    vital: bool
    ended: Event = field(default_factory=Event)
    result: CheckResult | None = None

    def run(self) -> None:
        try:
            self.result = self.check()
        except (DatabaseError, InterfaceError) as error:
            # Only the type: the text may hold the server's address, and strangers read the result.
            log.warning("not_ready", check=self.name, error=type(error).__name__)
            self.result = CheckResult(ok=False, message="the database doesn't answer", vital=self.vital)
        finally:
            self.ended.set()
            connections.close_all()  # this thread's own, which nothing else would close

    def outcome(self, deadline: float) -> CheckResult:
        """Return the result, or at the deadline that there is none."""
        self.ended.wait(max(deadline - time.monotonic(), 0))
        if self.result is not None:
            return self.result
        message = "failed" if self.ended.is_set() else f"gave no answer within {ANSWER_SECONDS} s"
        log.warning("not_ready", check=self.name, error=message)
        return CheckResult(ok=False, message=message, vital=self.vital)


_checks: dict[str, Check] = {}
_dispensable: set[str] = set()
_attempts: dict[str, _Attempt] = {}
_lock: Final = Lock()


def register(name: str, check: Check, *, vital: bool = True) -> None:
    """Add a check; a name stands once. `vital`: whether traffic is turned away while it gives no answer."""
    if _checks.setdefault(name, check) is not check:
        raise ValueError(f"readiness check {name!r} is registered twice")
    if not vital:
        _dispensable.add(name)


def run_checks() -> dict[str, CheckResult]:
    """Run every check, all at once; return the results in the order of registration.

    Whatever hangs, the results are there within `ANSWER_SECONDS`. A database that is away, and a check that
    gives no answer, are results and not errors.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    attempts = [_begin(name, check) for name, check in list(_checks.items())]
    return {attempt.name: attempt.outcome(deadline) for attempt in attempts}


def _begin(name: str, check: Check) -> _Attempt:
    """Begin a check, unless its last call still hangs: that is waited for again, so that none pile up."""
    with _lock:
        attempt = _attempts.get(name)
        if attempt is None or attempt.ended.is_set() or attempt.check is not check:
            attempt = _attempts[name] = _Attempt(name, check, vital=name not in _dispensable)
            Thread(
                target=copy_context().run, args=(attempt.run,), name=f"readiness {name}", daemon=True
            ).start()
    return attempt
