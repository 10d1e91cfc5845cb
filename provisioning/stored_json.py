"""JSON values as PostgreSQL keeps them."""

import json
import re
from typing import Any, Final

_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def as_stored_json(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as they will be read back from the database. Raises TypeError or ValueError.

    PostgreSQL's jsonb takes neither a NUL character nor half a surrogate pair.
    """
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    text.encode()  # raises UnicodeEncodeError, a ValueError, for half a surrogate pair
    if _NUL.search(text):
        raise ValueError("a NUL character can't be stored")
    stored: dict[str, Any] = json.loads(text)
    return stored
