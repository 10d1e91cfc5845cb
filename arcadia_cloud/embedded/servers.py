"""PostgreSQL and Valkey for one command: the environment's own, or embedded ones in a state folder."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from arcadia_cloud.embedded.children import EmbeddedError, end_leftovers, forget_ended
from arcadia_cloud.embedded.postgres import Postgres
from arcadia_cloud.embedded.valkey import Valkey


class ProductionError(EmbeddedError):
    """Embedded servers never start in production."""


@contextmanager
def servers(
    folder: Path, environment: Mapping[str, str], tell: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """Start what `environment` doesn't name, for the block; yields DATABASE_URL and REDIS_URL.

    Call it with the folder's lock held: what an earlier, killed command left running there is ended
    first. Raises ChildError, ProductionError.
    """
    if environment.get("ARCADIA_ENV") == "production":
        raise ProductionError("ARCADIA_ENV is production: no embedded server starts there")
    for name in end_leftovers(folder):
        tell(f"ended {name}, left behind by a run that was killed")
    found = {name: environment[name] for name in ("DATABASE_URL", "REDIS_URL") if environment.get(name)}
    with ExitStack() as stack:
        if "DATABASE_URL" not in found:
            postgres = Postgres(folder, tell)
            stack.callback(postgres.stop)
            postgres.start()
            found["DATABASE_URL"] = postgres.url
        if "REDIS_URL" not in found:
            valkey = Valkey(folder)
            stack.callback(valkey.stop)
            valkey.start()
            found["REDIS_URL"] = valkey.url
        yield found
    forget_ended(folder)
