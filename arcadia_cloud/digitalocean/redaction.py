"""Redaction: keeps tokens out of every text that leaves this package."""

import re

# Personal, OAuth and refresh tokens: dop_v1_, doo_v1_, dor_v1_ and a tail (API reference, "Authentication").
_TOKEN = re.compile(r"\bdo[a-z]_v1_\w+", re.ASCII)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"'<>,;]+")
_SHOWN = "[redacted]"
LONGEST_MESSAGE = 500  # characters; an edge's HTML page is no error message


def redact(text: str, *secrets: str) -> str:
    """Return `text` without what looks like a token and without the given secrets, cut to 500 characters.

    And without NUL.
    """
    text = text.replace("\0", "")  # JSON can hold it, PostgreSQL can't, and a failure has to be stored
    for secret in secrets:
        if secret:
            text = text.replace(secret, _SHOWN)
    text = _BEARER.sub(rf"\1 {_SHOWN}", _TOKEN.sub(_SHOWN, text))
    return text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"


class SecretStr(str):
    """A secret with a repr that hides it: error trackers print the repr of every local variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_SHOWN)
