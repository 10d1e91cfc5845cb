"""The API token, by purpose, read from the environment at each use."""

import os
import re
from pathlib import Path

from arcadia_cloud.digitalocean.errors import MissingToken
from arcadia_cloud.digitalocean.redaction import Hidden

# What a header may carry (RFC 6750 section 2.1). The HTTP library would quote anything else in its own error.
_WELL_FORMED = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def api_token(purpose: str) -> Hidden:
    """The token of `purpose` (SYNC, BILLING, PROVISIONING): `DO_API_TOKEN_<PURPOSE>`, else `DO_API_TOKEN`.

    Each may be `…_FILE` instead, naming a mounted secret. Raises MissingToken, which names the variable
    and never its value.
    """
    for name in (f"DO_API_TOKEN_{purpose.upper()}", "DO_API_TOKEN"):
        if name in os.environ and (found := Hidden(os.environ[name].strip())):
            return _checked(found, name)
        if path := os.environ.get(f"{name}_FILE"):
            return _checked(_read(path, name), f"{name}_FILE")
    raise MissingToken(
        f"neither DO_API_TOKEN_{purpose.upper()} nor DO_API_TOKEN is set (or either with _FILE)"
    )


def _read(path: str, name: str) -> Hidden:
    try:
        return Hidden(Path(path).read_text(encoding="ascii").strip())
    except UnicodeDecodeError:
        problem = "is not plain text"
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    # Raised out here: the error's context would hold what was read.
    raise MissingToken(f"{name}_FILE names {path}, which {problem}")


def _checked(token: Hidden, name: str) -> Hidden:
    if _WELL_FORMED.fullmatch(token):
        return token
    raise MissingToken(f"{name} is empty or holds characters that no token has")
