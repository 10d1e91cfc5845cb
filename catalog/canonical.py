"""The canonical JSON form of quotes, their inputs and terms: kept, hashed, compared byte for byte, for ever.

Keys in order, no spaces, UTF-8. Decimals are strings without an exponent or trailing zeros, dates are ISO
8601. Equal values have equal bytes. A field that has its default is left out: a field that is added later,
with a default that means what was true before it, changes no byte of what is stored. Nothing else may change
but by a new number of the form, which reads the old ones too.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from arcadia_cloud.kernel.money import Money, exact_text
from arcadia_cloud.kernel.periods import Period
from catalog.values.lines import Quote
from catalog.values.terms import PlanTerms, QuoteInputs

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
T = TypeVar("T", Quote, QuoteInputs, PlanTerms)

FORM: Final = "form"
_FORMS: Final[Mapping[type[Any], str]] = {
    QuoteInputs: "quote_inputs/1",
    Quote: "quote/1",
    PlanTerms: "plan_terms/1",
}


class UnknownForm(ValueError):
    """Stored bytes aren't of a form that this code reads."""


def encode(value: Quote | QuoteInputs | PlanTerms) -> bytes:
    """Return the canonical bytes of a quote, of its inputs or of a version's terms."""
    built = {FORM: _FORMS[type(value)], **_plain_fields(value)}
    return json.dumps(built, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def decode(data: bytes, into: type[T]) -> T:
    """Read canonical bytes back; encoded again they are the same.

    Raises UnknownForm for bytes of another form or of another type of value, and for what isn't one at all.
    """
    form = _FORMS[into]
    try:
        built = json.loads(data)
        if not isinstance(built, dict) or built.pop(FORM, None) != form:
            raise UnknownForm(f"these bytes have another form than {form}")
        value: T = msgspec.convert(built, into)
    except (ValueError, msgspec.ValidationError) as error:
        raise UnknownForm(f"these bytes are no {form}: {error}") from error
    # A number in place of a string would be read, too, and hashed as something else.
    if encode(value) != data:
        raise UnknownForm(f"these bytes are a {form}, but not its canonical bytes")
    return value


def digest(value: Quote | QuoteInputs | PlanTerms) -> str:
    """Return the SHA-256 of the canonical bytes, in hexadecimal digits."""
    return hashlib.sha256(encode(value)).hexdigest()


def _plain(value: object) -> Json:
    """Build what JSON has no type for from strings, arrays and objects."""
    found: Json
    match value:
        case msgspec.Struct() | Money() | Period():
            found = _plain_fields(value)
        case Mapping():
            found = {str(key): _plain(part) for key, part in value.items()}
        case tuple():
            found = [_plain(part) for part in value]
        case Enum():
            found = str(value.value)
        case Decimal():
            found = exact_text(value, places=0) if value else "0"  # -0 is 0
        case date():
            found = value.isoformat()
        case None | str() | int():
            found = value
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
    return found


def _plain_fields(value: msgspec.Struct | Money | Period) -> dict[str, Json]:
    if not isinstance(value, msgspec.Struct):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    config = type(value).__struct_config__
    found: dict[str, Json] = {} if config.tag is None else {str(config.tag_field): str(config.tag)}
    for field in msgspec.structs.fields(value):
        part = getattr(value, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        # Left out where it is the default: so a field that comes later leaves old bytes as they are.
        if default is msgspec.NODEFAULT or part != default:
            found[field.encode_name] = _plain(part)
    return found
