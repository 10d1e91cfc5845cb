"""The simulated DigitalOcean, as tests drive it."""

from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulator that answers at `url`, and the token of its default account."""

    url: str
    token: str

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Call `/_control/…`; returns the parsed answer. The words of a refusal are in the error."""
        answer = requests.request(method, f"{self.url}/_control/{path}", json=body, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def reset(self, **options: Any) -> None:
        """Back to the start; `fleet`, `seed`, `droplets`, `today`, `speed` say which."""
        self.control("POST", "reset", **options)

    def fault(self, **fault: Any) -> Any:
        """Arm a fault; see `simulator.faults` for its fields."""
        return self.control("POST", "faults", **fault)

    def requests(self, **filters: str) -> list[dict[str, Any]]:
        """What was asked so far, oldest first; filters are `method`, `path`, `since`."""
        answer = requests.get(f"{self.url}/_control/requests", params=filters, timeout=30).json()
        found: list[dict[str, Any]] = answer["requests"]
        return found
