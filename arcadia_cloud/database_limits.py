"""Time limits of database connections, by what the process is for: nothing waits for ever."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROLES: Final = ("web", "worker", "migration")

# In seconds; 0 is none. A request's client has left after half a minute. A worker's statements copy whole
# invoices. A migration that waits for a lock keeps every later statement on its table waiting behind it.
LOCK_SECONDS: Final[Mapping[str, int]] = {"web": 5, "worker": 60, "migration": 15}
STATEMENT_SECONDS: Final[Mapping[str, int]] = {"web": 30, "worker": 1800, "migration": 0}
# How long to wait for an answer of a server that hangs and enforces nothing: a little longer than it would
# allow, so that a statement that is only slow ends with the server's own word.
ANSWER_SECONDS: Final[Mapping[str, int]] = {"web": 35, "worker": 1860, "migration": 0}
# How long to wait for a new connection. A person waits for a page; work in the background may wait longer.
CONNECT_SECONDS: Final[Mapping[str, int]] = {"web": 3, "worker": 5, "migration": 5}
IDLE_IN_TRANSACTION_SECONDS: Final[Mapping[str, int]] = {"web": 30, "worker": 300, "migration": 300}

# A peer that vanished without a word is given up after about a minute, also with a query under way.
KEEPALIVES: Final[Mapping[str, int]] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}


def role_of(arguments: Sequence[str]) -> str:
    """Return the role of a process by its command line: what serves requests, what migrates, all others."""
    path = Path(arguments[0] if arguments else "")
    program = path.parent.name if path.name == "__main__.py" else path.name  # python -m gunicorn
    if program.startswith("gunicorn") or "runserver" in arguments[1:2]:
        return "web"
    return "migration" if "migrate" in arguments[1:2] else "worker"


def server_options(role: str) -> str:
    """Return the `options` of a connection that set its limits on the server, from its first statement on."""
    limits = {
        "lock_timeout": LOCK_SECONDS[role],
        "statement_timeout": STATEMENT_SECONDS[role],
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_SECONDS[role],
    }
    return " ".join(f"-c {name}={seconds * 1000}" for name, seconds in limits.items())


def limited(options: Mapping[str, Any], role: str, *, on_server: bool) -> dict[str, Any]:
    """Return a connection's options with the limits; what DATABASE_URL sets itself comes last, and counts."""
    result = {**KEEPALIVES, **options}
    if on_server:
        result["options"] = f"{server_options(role)} {options.get('options', '')}".strip()
    return result
