"""The decoder from a response's bytes to typed records, in one pass; its errors name the record at fault."""

import re
from collections.abc import Hashable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from arcadia_cloud.digitalocean.errors import ProviderMalformed
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.responses import UNREADABLE, ApiResponse

T = TypeVar("T")

_PLACE = re.compile(r"^(?P<rule>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
_ITEM = re.compile(r"^\$\.(?P<key>[^.\[]+)(?:\[(?P<index>\d+)\])?\.?(?P<field>.*)$")
_MISSING = re.compile(r"required field `([^`]+)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(?:\d+|\.\.\.)\]")
_MOST_BLANK_FIELDS = 20  # of one answer; each costs decoding it again
_plain = msgspec.json.Decoder(float_hook=Decimal)
_numbers_kept = msgspec.json.Encoder(decimal_format="number")
_NAMES = ("id", "uuid", "urn", "slug", "name", "ip", "invoice_uuid")


class Pages(msgspec.Struct, gc=False):
    next: str | None = None


class Links(msgspec.Struct, gc=False):
    pages: Pages | None = None


class Meta(msgspec.Struct, gc=False):
    total: int | None = None


class Envelope(msgspec.Struct, gc=False):
    """The fields around the items: `links.pages.next` and `meta.total`, both often absent.

    Lists of the style "numbered" have `total_pages` and `total_items` in their place.
    """

    links: Links | None = None
    meta: Meta | None = None
    total_pages: int = 0
    total_items: int | None = None

    @property
    def next(self) -> str:
        return (self.links.pages.next or "") if self.links and self.links.pages else ""

    @property
    def total(self) -> int | None:
        return self.meta.total if self.meta else self.total_items


@lru_cache(maxsize=512)  # to make a decoder takes longer than to decode a page
def _build_decoder(key: str, record: Any, envelope: type[msgspec.Struct] | None) -> msgspec.json.Decoder[Any]:
    """Return the decoder of bodies that are `record`, or have it under `key` beside the envelope's fields."""
    if not key:
        return msgspec.json.Decoder(record)
    found = ("found", record, msgspec.field(name=key))
    bases = None if envelope is None else (envelope,)
    return msgspec.json.Decoder(msgspec.defstruct("BodyOf", [found], bases=bases, gc=False, kw_only=True))


def decode_page(response: ApiResponse, listing: Listing[T], *, call: str) -> tuple[list[T], Envelope]:
    """Decode one page's items and its envelope. Raises ProviderMalformed, naming the item at fault."""
    record: Any = listing.record
    # Null where a service written in Go has an empty list.
    decoder = _build_decoder(listing.key, cast("Hashable", list[record] | None), Envelope)
    envelope: Any = _decode(response, decoder, call)
    return envelope.found or [], envelope


def decode_object(response: ApiResponse, record: type[T], key: str, *, call: str) -> T:
    """Decode the record under `key`, or the whole body where `key` is empty. Raises ProviderMalformed."""
    decoded: Any = _decode(response, _build_decoder(key, cast("Hashable", record), None), call)
    found: T = decoded.found if key else decoded
    return found


def _decode(response: ApiResponse, decoder: msgspec.json.Decoder[Any], call: str) -> Any:
    # The body is no local variable of any frame that an error passes through: error trackers print those.
    try:
        return decoder.decode(response.body)
    except msgspec.ValidationError as error:
        problem = str(error)
    except UNREADABLE:
        problem = ""
    if not problem:
        raise ProviderMalformed(f"not JSON: {_describe_body(response.body)}", call=call)
    if (decoded := _decode_without_blanks(response, decoder, problem)) is not None:
        return decoded
    raise _locate_problem(response.body, problem, call)


def _decode_without_blanks(
    response: ApiResponse, decoder: msgspec.json.Decoder[Any], problem: str
) -> Any | None:
    """Decode with null for the blank texts at fault, in every item; return None for any other fault.

    A service written in Go sends "" for a time, or a number, that it hasn't got.
    """
    try:
        plain = _plain.decode(response.body)
    except UNREADABLE:  # what follows the fault was not looked at before
        return None
    for _ in range(_MOST_BLANK_FIELDS):
        place = _PLACE.match(problem)
        names = [name or "[]" for name in _STEP.findall(place["path"] or "")] if place else []
        if not names or not _blank_out(plain, names):
            return None
        try:
            return decoder.decode(_numbers_kept.encode(plain))
        except msgspec.ValidationError as error:
            problem = str(error)
    return None


def _blank_out(value: Any, names: Sequence[str]) -> bool:
    """Put null for blank texts under these names, through every item of the lists on the way."""
    name, *rest = names
    if name == "[]":
        # All of them, and not until the first: each blank field would cost decoding the answer again.
        changed = [_blank_out(item, rest) for item in value] if isinstance(value, list) and rest else []
        return any(changed)
    if not isinstance(value, dict) or name not in value:
        return False
    if rest:
        return _blank_out(value[name], rest)
    if isinstance(value[name], str) and not value[name].strip():
        value[name] = None
        return True
    return False


def _describe_body(body: bytes) -> str:
    """Describe what the body looks like, without its text, which may hold a secret."""
    start = body[:64].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<"):
        return f"an HTML page of {len(body)} bytes"
    return f"{len(body)} bytes that are cut off or garbled"


def _locate_problem(body: bytes, problem: str, call: str) -> ProviderMalformed:
    """Name the record that broke the rule by its own id: an index means nothing once the list has moved."""
    place = _PLACE.match(problem)
    rule, path = (place["rule"], place["path"] or "$") if place else (problem, "$")
    missing = _MISSING.search(rule)
    where = _ITEM.match(path)
    item = field = ""
    if where:
        item = _find_name(body, where["key"], where["index"])
        field = where["field"]
    if missing:
        field = ".".join(part for part in (field, missing[1]) if part)
    text = " ".join(part for part in (item, f"field {field}" if field else "") if part)
    error = ProviderMalformed(f"{text}: {rule}" if text else rule, call=call)
    error.item, error.field = item, field
    return error


def _find_name(body: bytes, key: str, index: str | None) -> str:
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE:  # the decoder stopped at the item, so what follows it was not looked at before
        found = None
    found = found.get(key) if isinstance(found, dict) else None
    if index is not None and isinstance(found, list):
        found = found[int(index)]
    if isinstance(found, dict):
        for name in _NAMES:
            if isinstance(found.get(name), str | int) and found[name] != "":
                return f"{key} {found[name]}"
    return f"{key}[{index}]" if index is not None else key
