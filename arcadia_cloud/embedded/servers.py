"""PostgreSQL and Valkey for one command: the environment's own, or embedded ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import redis

from arcadia_cloud.embedded.child_processes import ChildProcess, remove_finished_record, stop_leftovers
from arcadia_cloud.embedded.errors import EmbeddedError, ProductionError
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey

OLDEST_POSTGRES = 18  # RETURNING old/new


@contextmanager
def run_servers(
    folder: Path,
    environment: Mapping[str, str],
    report: Callable[[str], None],
    *,
    check: Callable[[], None] = lambda: None,
    started: list[ChildProcess] | None = None,
) -> Iterator[dict[str, str]]:
    """Start what `environment` doesn't name, for the block; yields DATABASE_URL and REDIS_URL.

    Call it with the folder's lock held: what an earlier, killed command left running there is stopped
    first. `started` gets the processes; `check` is called while waiting, and may raise. Raises
    ChildError, ProductionError, and EmbeddedError when a server that the environment names can't be used.
    """
    if read_variable(environment, "ARCADIA_ENV") == "production":
        raise ProductionError("ARCADIA_ENV is production: no embedded server starts there")
    for name in stop_leftovers(folder):
        report(f"ended {name}, left behind by a run that was killed")
    children = started if started is not None else []
    found = {}
    with ExitStack() as stack:
        if url := read_variable(environment, "DATABASE_URL"):
            require_postgres(url)
            found["DATABASE_URL"] = url
        else:
            found["DATABASE_URL"] = _start_server(Postgres(folder, report, check), stack, children)
        if url := read_variable(environment, "REDIS_URL"):
            require_redis(url)
            found["REDIS_URL"] = url
        else:
            found["REDIS_URL"] = _start_server(Valkey(folder), stack, children)
        yield found
    remove_finished_record(folder)


def read_variable(environment: Mapping[str, str], name: str) -> str:
    """Return the variable's value, or that of the file that NAME_FILE names; empty when there is none."""
    if value := environment.get(name):
        return value
    if path := environment.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise EmbeddedError(f"{name}_FILE names {path}, which can't be read: {error.strerror}") from error
    return ""


def _start_server(server: Postgres | Valkey, stack: ExitStack, children: list[ChildProcess]) -> str:
    stack.callback(server.stop)  # before the start: one that fails half-way is stopped, too
    server.start()
    if server.child is not None:
        children.append(server.child)
    return server.url


def require_postgres(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.ProgrammingError:  # the library's words quote the URL, and with it the password
        raise EmbeddedError("DATABASE_URL must be postgresql://[user[:password]@]host[:port]/name") from None
    except psycopg.Error as error:
        raise EmbeddedError(f"DATABASE_URL names a PostgreSQL that can't be used: {error}") from error
    if version < OLDEST_POSTGRES * 10_000:
        raise EmbeddedError(
            f"DATABASE_URL names PostgreSQL {version // 10_000}; {OLDEST_POSTGRES} or newer is needed"
        )


def require_redis(url: str) -> None:
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            client.ping()
    except ValueError:  # as above
        raise EmbeddedError(
            "REDIS_URL must be redis://[:password@]host[:port][/number], its password percent-encoded"
        ) from None
    except redis.RedisError as error:
        raise EmbeddedError(f"REDIS_URL names a server that can't be used: {error}") from error
