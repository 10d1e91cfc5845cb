"""Readiness checks, before traffic comes here: a registry that apps fill from `AppConfig.ready()`.

A check asks quickly, and its message may be read by strangers: the endpoint is public, so no address, name
of a host or error text of a library belongs in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from django.db import DatabaseError, InterfaceError

log = structlog.get_logger(__name__)


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
_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Add a check; a name stands once."""
    if _checks.setdefault(name, check) is not check:
        raise ValueError(f"readiness check {name!r} is registered twice")


def run_checks() -> dict[str, CheckResult]:
    """Run every check, in the order of registration. A database that is away is a result, not an error."""
    results = {}
    for name, check in _checks.items():
        try:
            results[name] = check()
        except (DatabaseError, InterfaceError) as error:
            # Only the type: the text may hold the server's address, and strangers read the result.
            log.warning("not_ready", check=name, error=type(error).__name__)
            results[name] = CheckResult(ok=False, message="the database doesn't answer")
    return results
