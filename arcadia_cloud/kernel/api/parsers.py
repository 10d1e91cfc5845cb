"""JSON bodies: bounded, UTF-8, strict."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Final, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from arcadia_cloud.kernel.api.problems import TooLarge

_SUSPECT_ESCAPE: Final = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


class BoundedJSONParser(BaseParser):
    """Takes at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes: REST framework's own parser reads all there are.

    Fractions become Decimal, never float. NaN, Infinity, repeated keys and text that PostgreSQL can't
    hold (NUL, lone surrogates) are refused.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body. Raises TooLarge (413) and ParseError (400)."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        try:
            body = json.loads(
                raw.decode("utf-8"),
                parse_float=Decimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=_refuse_repeated_keys,
            )
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except ValueError as error:  # UnicodeDecodeError and JSONDecodeError among them
            raise ParseError(f"The body is not JSON: {error}.") from error
        # Only where an escape is suspicious: a search of every body would cost as much as its parsing.
        unchecked = [body] if _SUSPECT_ESCAPE.search(raw) else []
        while unchecked:  # no recursion: the parser takes bodies that are nested deeper than it goes
            part = unchecked.pop()
            if isinstance(part, dict):
                unchecked += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                unchecked += part
            elif isinstance(part, str) and ("\0" in part or re.search("[\ud800-\udfff]", part)):
                raise ParseError("The body has a character that can't be stored (NUL or a lone surrogate).")
        return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        [(repeated, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {repeated[:80]!r} stands twice in one object")
    return result
