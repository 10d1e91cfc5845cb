"""The state of a simulation: accounts, tokens, time, faults, limits and the log of requests."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any, Final

from flask import current_app

from simulator.account import Account
from simulator.billing.history import BillingHistory
from simulator.billing.invoices import AccountInvoices
from simulator.catalog import Json
from simulator.clock import Clock
from simulator.endpoints import KINDS
from simulator.errors import bad_request
from simulator.faults import Faults
from simulator.fleets import FLEETS, populate_account
from simulator.rate_limits import RateLimits
from simulator.synthetic_resources import validate_load

DEFAULT_TOKEN: Final = "dop_v1_" + "5107" * 16
DEFAULT_TEAM: Final = "arcadia"
# For Spaces, which `simulator.spaces` serves; it accepts any key.
SPACES_KEY: Final = "DO00SIMULATED0SPACES"
SPACES_SECRET: Final = "simulated-spaces-secret"  # noqa: S105 - nothing is behind it
_LOG_LENGTH: Final = 20_000
_NO_LOAD: Final[Mapping[str, int]] = {}


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """Options of a simulation. `today` None: the real date. `load`: by kind, how many resources to add."""

    fleet: str = "default"
    seed: int = 1
    droplets: int = 0
    today: date | None = None
    speed: float = 1.0
    invoices: int = 0
    invoice_lines: int = 0
    load: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fleet not in FLEETS:
            raise ValueError(f"the fleet is one of {', '.join(FLEETS)}, not {self.fleet!r}")
        validate_load(self.load)


class RequestLog:
    """The latest requests, numbered from 1."""

    def __init__(self) -> None:
        self.total = 0
        self._latest: deque[Json] = deque(maxlen=_LOG_LENGTH)

    def add(self, entry: Json) -> None:
        self.total += 1
        self._latest.append({"number": self.total, **entry})

    def since(self, number: int) -> list[Json]:
        # The log forgets its oldest entries, whose numbers still count.
        skipped = max(0, number - (self.total - len(self._latest)))
        return list(islice(self._latest, skipped, None))

    def clear(self) -> None:
        self._latest.clear()
        self.total = 0


class Simulation:
    """One simulation, under one lock, which a request holds from its faults to its response."""

    def __init__(
        self,
        *,
        fleet: str = "default",
        seed: int = 1,
        droplets: int = 0,
        today: date | None = None,
        speed: float = 1.0,
        limits: bool = False,
        invoices: int = 0,
        invoice_lines: int = 0,
        load: Mapping[str, int] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self._limits = limits
        self.options = SimulationOptions(
            fleet, seed, droplets, today, speed, invoices, invoice_lines, load or {}
        )
        self._start()

    def reset(self, **changes: Any) -> None:
        """Start over with the options, changed as given. Raises ValueError, TypeError."""
        self.options = replace(self.options, **changes)
        self._start()

    def _start(self) -> None:
        options = self.options
        # All of it anew: a fault, a limit or a token of an earlier test must not meet the next one.
        self.clock = Clock(today=options.today, speed=options.speed)
        self.faults = Faults(options.seed)
        self.limits = RateLimits(enabled=self._limits)
        self.log = RequestLog()
        self.accounts: dict[str, Account] = {}
        self.invoices: dict[str, AccountInvoices] = {}
        self.billing_histories: dict[str, BillingHistory] = {}
        self._teams: dict[str, str] = {}
        self.register_token(
            DEFAULT_TOKEN, DEFAULT_TEAM, fleet=options.fleet, droplets=options.droplets, load=options.load
        )

    def register_token(
        self,
        token: str,
        team: str,
        *,
        fleet: str = "empty",
        droplets: int = 0,
        load: Mapping[str, int] = _NO_LOAD,
    ) -> Account:
        """Point the token at the team's account, created with that fleet unless it exists."""
        if fleet not in FLEETS:
            raise bad_request(f"fleet is one of {', '.join(FLEETS)}")
        account = self.accounts.get(team)
        if account is None:
            account = Account(
                team=team, seed=self.options.seed, droplets=droplets, clock=self.clock, kinds=KINDS
            )
            populate_account(account, fleet=fleet, load=load)
            self.accounts[team] = account
            # After the fleet: past invoices list what the account held when its billing began.
            self.invoices[team] = AccountInvoices(
                account,
                seed=self.options.seed,
                is_reference=fleet == "reference",
                invoices=self.options.invoices,
                invoice_lines=self.options.invoice_lines,
            )
            self.billing_histories[team] = BillingHistory(self.invoices[team])
        self._teams[token] = team
        return account

    def find_account(self, token: str) -> Account | None:
        team = self._teams.get(token)
        return None if team is None else self.accounts[team]

    def revoke_token(self, token: str) -> None:
        self._teams.pop(token, None)

    def finish_due_actions(self) -> None:
        for account in self.accounts.values():
            account.actions.finish_due()


def get_simulation() -> Simulation:
    """Return the simulation of the application that handles the current request."""
    simulation: Simulation = current_app.extensions["simulator"]
    return simulation
