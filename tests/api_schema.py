"""The committed copy of the API's schema."""

from typing import Any, Final

import yaml

from arcadia_cloud.embedded.state import PROJECT

COPY: Final = PROJECT / "docs" / "openapi.yaml"


def read_schema(text: str | bytes) -> dict[str, Any]:
    """Parse a schema in YAML, with the library's parser in C: every worker reads it while it collects."""
    # Its safe loader, of our own text.
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


SCHEMA: Final = read_schema(COPY.read_bytes())
