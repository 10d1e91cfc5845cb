"""The API token, by purpose, and the keys of Spaces: read from the environment at each use."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcadia_cloud.digitalocean.errors import MissingSpacesKeys, MissingToken
from arcadia_cloud.digitalocean.redaction import SecretStr

# What a header may carry (RFC 6750 section 2.1). The HTTP library would quote anything else in its own error.
_WELL_FORMED = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
PURPOSES: Final = ("SYNC", "BILLING", "PROVISIONING", "METERING")


def api_token(purpose: str) -> SecretStr:
    """Return the token of `purpose` (SYNC, BILLING, PROVISIONING, METERING).

    It is that of `DO_API_TOKEN_<PURPOSE>`, else of `DO_API_TOKEN`; each may be `…_FILE` instead, naming a
    mounted secret. Raises MissingToken, which names the variable and never its value.
    """
    for name in (f"DO_API_TOKEN_{purpose.upper()}", "DO_API_TOKEN"):
        if (token := _read_secret(name)) is not None:
            return token
    raise MissingToken(
        f"neither DO_API_TOKEN_{purpose.upper()} nor DO_API_TOKEN is set (or either with _FILE)"
    )


@dataclass(frozen=True, slots=True)
class SpacesKeys:
    """An access key of Spaces and its secret. Only a key with full access sees every bucket."""

    key: SecretStr
    secret: SecretStr


def spaces_keys() -> SpacesKeys:
    """Return the keys in `SPACES_KEY` and `SPACES_SECRET`.

    Each may be `…_FILE` instead, naming a mounted secret. Raises MissingSpacesKeys where neither is set,
    MissingToken where one is or one can't be used.
    """
    key, secret = _read_secret("SPACES_KEY"), _read_secret("SPACES_SECRET")
    if key is None and secret is None:
        raise MissingSpacesKeys("SPACES_KEY and SPACES_SECRET are not set")
    if key is None or secret is None:
        here, missing = ("SPACES_SECRET", "SPACES_KEY") if key is None else ("SPACES_KEY", "SPACES_SECRET")
        raise MissingToken(f"{here} is set, but {missing} is not")
    return SpacesKeys(key, secret)


def _read_secret(name: str) -> SecretStr | None:
    """Return the secret in this variable or in the file that NAME_FILE names; None where neither is set."""
    if name in os.environ and (found := SecretStr(os.environ[name].strip())):
        return _require_well_formed(found, name)
    if path := os.environ.get(f"{name}_FILE"):
        return _require_well_formed(_read_file(path, name), f"{name}_FILE")
    return None


def _read_file(path: str, name: str) -> SecretStr:
    try:
        return SecretStr(Path(path).read_text(encoding="ascii").strip())
    except UnicodeDecodeError:
        problem = "is not plain text"
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    # Raised out here: the error's context would hold what was read.
    raise MissingToken(f"{name}_FILE names {path}, which {problem}")


def is_well_formed(token: str) -> bool:
    """Return whether a token or key has only characters that a header may carry."""
    return _WELL_FORMED.fullmatch(token) is not None


def _require_well_formed(token: SecretStr, name: str) -> SecretStr:
    if is_well_formed(token):
        return token
    raise MissingToken(f"{name} is empty or holds characters that no token has")
