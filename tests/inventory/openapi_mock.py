"""A server that answers with the examples of DigitalOcean's official document, whatever was asked before.

It has no state: a project that was made is not in the list afterwards.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.digitalocean.official import document, examples, resolved
from tests.http_servers import QuickHandler, serve_handler

# What the document says of an answer to a query, by the query's field and value.
_ANSWERS_TO = {("type", "gpus"): "GPU Droplets", ("private", "true"): "Custom"}


def answer_of(path: str, *, method: str = "get", wanted: str = "") -> Any:
    """The example of an operation's good answer: the one of that name, else the first."""
    found = examples(path, method)
    if not found:
        return built_from(_schema_of(path, method))
    return found.get(wanted, next(iter(found.values())))


def _schema_of(path: str, method: str) -> Any:
    responses = document()["paths"][path][method]["responses"]
    response = resolved(next(each for status, each in responses.items() if status.startswith("2")))
    return response["content"]["application/json"]["schema"]


def built_from(schema: Any) -> Any:
    """An example made of the examples of a schema's properties."""
    schema = resolved(schema)
    if "example" in schema:
        return schema["example"]
    if schema.get("type") == "array":
        return [built_from(schema["items"])]
    built = {name: built_from(each) for name, each in schema.get("properties", {}).items()}
    for part in [*schema.get("allOf", []), *schema.get("oneOf", [])[:1]]:
        built |= built_from(part) or {}
    return built or schema.get("default")


def template_of(path: str) -> str:
    """The document's path that this is one of; empty if it reads none such."""
    fitting = [
        template
        for template, operations in document()["paths"].items()
        if "get" in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
    ]
    return min(fitting, key=lambda template: template.count("{"), default="")


@contextmanager
def examples_served(*, knows_queries: bool) -> Iterator[str]:
    """Serve for the length of the block; yields the base URL."""

    class Handler(QuickHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            path = template_of(address.path)
            if not path:
                self.answer(404, {"id": "not_found", "message": "There is no such example."})
                return
            asked = [(name, values[0]) for name, values in parse_qs(address.query).items()]
            names = [_ANSWERS_TO[each] for each in asked if knows_queries and each in _ANSWERS_TO]
            self.answer(200, answer_of(path, wanted=next(iter(names), "")))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer(201, answer_of("/v2/projects", method="post"))

        def answer(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with serve_handler(Handler) as url:
        yield url
