"""A pytest plugin that sets the environment before settings are read: `-p tests.surroundings`.

Each xdist worker gets its own Valkey database (pytest-django gives it its own PostgreSQL one), and
nothing a developer exported reaches a real DigitalOcean account.
"""

import os

NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once


def _isolate() -> None:
    for name in [name for name in os.environ if name.startswith(("DO_API_", "SPACES_", "SKYAI_FINANCE_"))]:
        del os.environ[name]
    os.environ["DO_API_URL"] = NOWHERE
    os.environ["DO_API_TOKEN"] = "dop_v1_" + "0" * 64
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if "REDIS_URL" in os.environ:
        server, _, _ = os.environ["REDIS_URL"].rpartition("/")
        os.environ["REDIS_URL"] = f"{server}/{int(worker) + 1}"


_isolate()
