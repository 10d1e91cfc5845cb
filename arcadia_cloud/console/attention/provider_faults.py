"""The cause behind an error text that names a call of the provider: what answered, and with what."""

import re
from typing import Final

# `GET /v2/droplets: 500 server_error: Unexpected server-side error (request 1a2b)`; the same without a status
# where no answer came; `GET Spaces nyc3 (ListBuckets): 403 …` is of another service.
_CALL: Final = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD) (?P<spaces>Spaces )?[^:]+: "
    r"(?:(?P<status>[1-5]\d\d)\b|(?P<words>.+))"
)
_REQUEST: Final = re.compile(r" \(request [^)]*\)$")
_REFUSALS: Final = {"401", "403"}


def provider_fault(text: str) -> str:
    """Return the cause in words, the same for every call that it fails: `DigitalOcean answers 500`.

    Empty where the text names no call.
    """
    found = _CALL.search(text)
    if found is None:
        return ""
    service = "Spaces" if found["spaces"] else "DigitalOcean"
    if found["status"] in _REFUSALS:
        return f"{service} refuses the token with {found['status']}"
    if found["status"]:
        return f"{service} answers {found['status']}"
    return f"{service}: {_REQUEST.sub('', found['words'])}"
