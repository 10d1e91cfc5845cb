"""DigitalOcean's official OpenAPI document, where it is at hand: as data, never part of the project."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "digitalocean-openapi.json"


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole of it; skips the test where it is absent."""
    path = Path(os.environ.get("ARCADIA_DO_OPENAPI", _BESIDE))
    if not path.is_file():
        pytest.skip("DigitalOcean's OpenAPI document is not here (ARCADIA_DO_OPENAPI names it)")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def resolved(node: Any) -> Any:
    """The node itself, behind any reference."""
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        node = document()
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    return node


def schema_fields(name: str) -> set[str]:
    """Every field that a schema, or a part of it, names."""
    return _fields({"$ref": f"#/components/schemas/{name}"})


def _fields(node: Any) -> set[str]:
    schema = resolved(node)
    found = set(schema.get("properties", {}))
    for part in [*schema.get("allOf", []), *schema.get("anyOf", []), *schema.get("oneOf", [])]:
        found |= _fields(part)
    return found


def examples(path: str, method: str = "get") -> dict[str, Any]:
    """The example answers (2xx) of an operation, by name."""
    found: dict[str, Any] = {}
    for status, response in document()["paths"][path][method]["responses"].items():
        if not status.startswith("2"):
            continue
        content = resolved(response).get("content", {}).get("application/json", {})
        for name, example in content.get("examples", {}).items():
            found[name] = resolved(example)["value"]
        if "example" in resolved(content.get("schema", {})):
            found["example"] = resolved(content["schema"])["example"]
        if "example" in content:
            found["example"] = content["example"]
    return found
