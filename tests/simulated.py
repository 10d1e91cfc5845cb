"""The simulated DigitalOcean and finance service, as tests drive them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

AS_IT_STARTS: Final[Mapping[str, Any]] = {
    "fleet": "default", "seed": 1, "droplets": 0, "load": {}, "today": None, "speed": 1.0, "invoices": 0,
    "invoice_lines": 0,
}  # fmt: skip


def control(url: str, method: str, path: str, body: Any) -> Any:
    """Call `/_control/…`; returns the parsed answer. The words of a refusal are in the error."""
    answer = requests.request(method, f"{url}/_control/{path}", json=body, timeout=30)
    assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulator that answers at `url`, and the token of its default account."""

    url: str
    token: str

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Call `/_control/…`; returns the parsed answer. The words of a refusal are in the error."""
        return control(self.url, method, path, body)

    def reset(self, **options: Any) -> None:
        """Reset to the start, with `fleet`, `seed`, `droplets`, `load`, `today`, `speed` as options."""
        self.control("POST", "reset", **options)

    def fault(self, **fault: Any) -> Any:
        """Arm a fault; see `simulator.faults` for its fields."""
        return self.control("POST", "faults", **fault)

    def requests(self, **filters: str) -> list[dict[str, Any]]:
        """Return the requests so far, oldest first; filters are `method`, `path`, `since`."""
        answer = requests.get(f"{self.url}/_control/requests", params=filters, timeout=30).json()
        found: list[dict[str, Any]] = answer["requests"]
        return found


@dataclass(frozen=True, slots=True)
class SimulatedFinance:
    """A finance service that answers at `url` and keeps what it took."""

    url: str

    def reset(self) -> None:
        """No rows, no faults, nothing asked, nothing in hand that could still take a fault or write a row."""
        control(self.url, "DELETE", "faults", None)
        deadline = time.monotonic() + 30
        while control(self.url, "GET", "requests", None)["in_hand"]:
            assert time.monotonic() < deadline, "a request has been in hand for half a minute"
            time.sleep(0.05)
        for path in ("invoices", "requests"):
            control(self.url, "DELETE", path, None)

    def fault(self, kind: str, **settings: Any) -> Any:
        """Arm a fault; see `simulator.finance.app.FAULTS` for the kinds and their fields."""
        return control(self.url, "POST", "faults", {"kind": kind, **settings})

    def invoices(self) -> list[dict[str, Any]]:
        """Its rows, oldest first; each has `invoice_id`, what was sent, and `times`, how often."""
        found: list[dict[str, Any]] = control(self.url, "GET", "invoices", None)["invoices"]
        return found

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests, oldest first: `status` (None: no response was sent) and `body`."""
        found: list[dict[str, Any]] = control(self.url, "GET", "requests", None)["requests"]
        return found
