"""The simulated provider's state, asked past the code under test."""

from collections.abc import Collection
from itertools import cycle, product
from typing import Any, Self

import pytest

from tests.simulated import Simulated
from tests.simulator.api import Api, Json

SHOP_WEB = 480_000_000  # shop-web-01: s-2vcpu-4gb, active, in nyc3
LEGACY = 480_009_117  # legacy-files: s-2vcpu-2gb, off
ZONE = "acme-wiki.example"
# Whatever passes: the same request works the next time.
PASSING: dict[str, dict[str, Any]] = {
    "no connection": {"kind": "drop_before"},
    "lost answer": {"kind": "drop_after"},
    "reset after": {"kind": "drop_after", "reset": True},
    "500": {"kind": "server_error"},
    "502 after the change": {"kind": "server_error", "status": 502, "html": True, "after_change": True},
    "half an answer": {"kind": "truncated"},
    "connection cut": {"kind": "truncated", "cut": "connection"},
    "storm": {"kind": "rate_limited", "retry_after": 0},
    "pending event": {"kind": "pending_event"},
}
ORDER: dict[str, Any] = {
    "name": "new-01",
    "region": "fra1",
    "size": "s-1vcpu-1gb",
    "image": "ubuntu-24-04-x64",
    "project": "acme-new",
    "tags": ["role:web"],
    "domain": ZONE,
    "record_name": "new",
}


class Cloud:
    """The provider's side of a test; remembers how it was at the beginning."""

    def __init__(self, simulator: Simulated) -> None:
        self.simulator = simulator
        self.api = Api(simulator.url, simulator.token)
        self.before = self.everything()

    def __enter__(self) -> Self:
        self.api.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        self.api.__exit__()

    def fault(self, kind: str, **settings: Any) -> None:
        self.simulator.fault(kind=kind, **settings)

    def all(self, path: str, key: str) -> list[Json]:
        found: list[Json] = self.api.get(f"{path}?per_page=200")[key]
        return found

    def droplet(self, droplet_id: int) -> Json:
        found: Json = self.api.get(f"/v2/droplets/{droplet_id}")["droplet"]
        return found

    def named(self, name: str) -> list[Json]:
        return [each for each in self.all("/v2/droplets", "droplets") if each["name"] == name]

    def records(self) -> list[Json]:
        return self.all(f"/v2/domains/{ZONE}/records", "domain_records")

    def projects(self) -> dict[str, str]:
        """Ids by name."""
        return {each["name"]: each["id"] for each in self.all("/v2/projects", "projects")}

    def members(self, project: str) -> set[str]:
        path = f"/v2/projects/{self.projects()[project]}/resources"
        return {each["urn"] for each in self.all(path, "resources")}

    def snapshots(self) -> set[str]:
        return {each["name"] for each in self.all("/v2/snapshots", "snapshots")}

    def everything(self) -> Json:
        """All that sagas may change, for a comparison with how it was."""
        droplets = self.all("/v2/droplets", "droplets")
        return {
            "droplets": {d["id"]: (d["name"], d["size_slug"], d["status"], d["disk"]) for d in droplets},
            "records": {each["id"]: (each["name"], each["data"]) for each in self.records()},
            "projects": {name: self.members(name) for name in self.projects()},
            "snapshots": self.snapshots(),
        }

    def asked(self, method: str, path: str) -> int:
        """Count the requests of this method to the path, or one below it, that succeeded."""
        found = self.simulator.requests(method=method, path=path)
        return sum(1 for each in found if each["status"] is not None and each["status"] < 400)


def crossed(metafunc: pytest.Metafunc, **places: Collection[str]) -> None:
    """Every passing fault at each of these places; without `--matrix`, each fault and each place once."""
    for name, values in places.items():
        if name in metafunc.fixturenames:
            pair(metafunc, ("fault", name), PASSING, values)


def pair(
    metafunc: pytest.Metafunc, names: tuple[str, str], many: Collection[Any], few: Collection[Any]
) -> None:
    """Each of the many with each of the few; without `--matrix`, each of the many once, the few in turn."""
    is_whole = metafunc.config.getoption("--matrix")
    pairs = product(many, few) if is_whole else zip(many, cycle(few), strict=False)
    metafunc.parametrize(names, list(pairs), ids=lambda value: getattr(value, "kind", None))
