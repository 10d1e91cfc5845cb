"""Answers of Spaces made readable: boto3 follows redirects, and takes XML that it can't parse for a 500."""

import re
from http import HTTPStatus
from typing import Any, Final

# A key may hold characters that XML 1.0 can't, plain or by reference; some servers send them all the same,
# and one would make the whole answer unreadable. Source: XML 1.0, section 2.2.
_REFERENCE: Final = r"&#(?:x(?P<hex>[0-9A-Fa-f]+)|(?P<decimal>[0-9]+));"
_UNFIT: Final = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|{_REFERENCE}")
_LARGEST_CHARACTER: Final = 0x10FFFF
_MOST_DIGITS: Final = 9
_REPLACEMENT: Final = "\ufffd"
_HEAD: Final = 400  # an error's root element stands in the first characters


class RedirectedElsewhere(Exception):
    """An answer that sends the call to another server, which the keys aren't for."""

    def __init__(self, status: int) -> None:
        super().__init__("redirected elsewhere; the keys aren't sent on")
        self.status = status


def make_readable(response_dict: dict[str, Any], **_event: object) -> None:
    """Prepare an answer for boto3's parser, as a hook before it. Raises RedirectedElsewhere."""
    status, body = response_dict["status_code"], response_dict["body"]
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise RedirectedElsewhere(status)
    if not isinstance(body, bytes) or not body:
        return
    text = _UNFIT.sub(_fit_for_xml, body.decode(errors="replace"))
    if (cleaned := text.encode()) == body:
        return
    response_dict["body"] = cleaned
    # An earlier hook has taken it for a 500, because it couldn't be parsed; a real one has an error inside.
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and "<Error" not in text[:_HEAD]:
        response_dict["status_code"] = int(HTTPStatus.OK)


def _fit_for_xml(found: re.Match[str]) -> str:
    digits, base = (found["hex"], 16) if found["hex"] else (found["decimal"], 10)
    if not digits or len(digits) > _MOST_DIGITS or int(digits, base) > _LARGEST_CHARACTER:
        return _REPLACEMENT
    return _REPLACEMENT if _UNFIT.match(chr(int(digits, base))) else found[0]
