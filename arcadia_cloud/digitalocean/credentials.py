"""The API token, by purpose, and the keys of Spaces: read from the environment at each use."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from arcadia_cloud.digitalocean.errors import MissingSpacesKeys, MissingToken
from arcadia_cloud.digitalocean.redaction import Hidden

# What a header may carry (RFC 6750 section 2.1). The HTTP library would quote anything else in its own error.
_WELL_FORMED = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def api_token(purpose: str) -> Hidden:
    """The token of `purpose` (SYNC, BILLING, PROVISIONING): `DO_API_TOKEN_<PURPOSE>`, else `DO_API_TOKEN`.

    Each may be `…_FILE` instead, naming a mounted secret. Raises MissingToken, which names the variable
    and never its value.
    """
    for name in (f"DO_API_TOKEN_{purpose.upper()}", "DO_API_TOKEN"):
        if (token := _given(name)) is not None:
            return token
    raise MissingToken(
        f"neither DO_API_TOKEN_{purpose.upper()} nor DO_API_TOKEN is set (or either with _FILE)"
    )


@dataclass(frozen=True, slots=True)
class SpacesKeys:
    """An access key of Spaces and its secret. Only a key with full access sees every bucket."""

    key: Hidden
    secret: Hidden


def spaces_keys() -> SpacesKeys:
    """The keys in `SPACES_KEY` and `SPACES_SECRET`; each may be `…_FILE` instead, naming a mounted secret.

    Raises MissingSpacesKeys where neither is set, MissingToken where one is or one can't be used.
    """
    key, secret = _given("SPACES_KEY"), _given("SPACES_SECRET")
    if key is None and secret is None:
        raise MissingSpacesKeys("SPACES_KEY and SPACES_SECRET are not set")
    if key is None or secret is None:
        here, missing = ("SPACES_SECRET", "SPACES_KEY") if key is None else ("SPACES_KEY", "SPACES_SECRET")
        raise MissingToken(f"{here} is set, but {missing} is not")
    return SpacesKeys(key, secret)


def _given(name: str) -> Hidden | None:
    """The secret in this variable or in the file that NAME_FILE names; None where neither is set."""
    if name in os.environ and (found := Hidden(os.environ[name].strip())):
        return _checked(found, name)
    if path := os.environ.get(f"{name}_FILE"):
        return _checked(_read(path, name), f"{name}_FILE")
    return None


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
