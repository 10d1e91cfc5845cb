"""`client`: a fleet listed over HTTP, against DigitalOcean's own client and against a bare loop."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from pydo import Client

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from bench.harness import Contender, Row, bench, interleave, row, tell
from bench.scratch import scratch_database

DROPLETS: Final = 100_000
ROUNDS: Final = 3
_TOKEN: Final = "dop_v1_" + "0" * 64


@bench("client")
def client(scale: float) -> Iterator[Row]:
    """Each lists the whole fleet and looks at every droplet's id. The rate limiter is off."""
    count = max(1, round(DROPLETS * scale))
    os.environ.setdefault("DO_API_TOKEN", _TOKEN)
    logging.getLogger("azure").setLevel(logging.WARNING)  # pydo's own log lines would slow it down
    # Our client keeps in the database which account the token speaks for, and asks once.
    with scratch_database(), _served(count) as url:
        contenders = {
            "ours": Contender(_checked(_ours, url, count)),
            "loop": Contender(_checked(_loop, url, count)),
            "pydo": Contender(_checked(_pydo, url, count)),
        }
        found = interleave(contenders, rounds=ROUNDS, warm_up=False)
    yield row("client", f"{count} droplets against pydo", found["ours"], found["pydo"], target=1.0)
    yield row(
        "client", f"{count} droplets against requests and json", found["ours"], found["loop"], target=1.3
    )


def _checked(listed: Callable[[str], int], url: str, count: int) -> Callable[[], None]:
    """A client that loses a droplet is fast for nothing."""
    expected = sum(range(300_000_000, 300_000_000 + count))

    def run() -> None:
        total = listed(url)
        if total != expected:
            raise AssertionError(f"{listed.__name__} did not list every droplet once")

    return run


def _ours(url: str) -> int:
    with DigitalOcean(base_url=url, budget=UnlimitedBudget()) as cloud:
        return sum(droplet.id for droplet in cloud.droplets())


def _loop(url: str) -> int:
    total: int = 0
    page = 1
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    with requests.Session() as session:
        while True:
            params = {"page": page, "per_page": 200}
            answer = session.get(f"{url}/v2/droplets", params=params, headers=headers, timeout=30).json()
            total += sum(droplet["id"] for droplet in answer["droplets"])
            if "next" not in answer["links"]["pages"]:
                return total
            page += 1


def _pydo(url: str) -> int:
    total: int = 0
    page = 1
    key = AzureKeyCredentialPolicy(AzureKeyCredential(_TOKEN), "Authorization", prefix="Bearer")
    peer: Any = Client(_TOKEN, endpoint=url, authentication_policy=key, retry_total=0)
    with peer:
        while True:
            answer = peer.droplets.list(page=page, per_page=200)
            total += sum(droplet["id"] for droplet in answer["droplets"])
            if "next" not in answer["links"]["pages"]:
                return total
            page += 1


@contextmanager
def _served(count: int) -> Iterator[str]:
    tell(f"  rendering {count} droplets")
    command = [sys.executable, "-m", "bench.pages", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.communicate()  # it ends with its standard input
