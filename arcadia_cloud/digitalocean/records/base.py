"""The base of every record."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    Text = str
    Strings = list[str]
    Numbers = list[int]
else:  # null is read as well as absence; `Record` then puts the empty value, so that no reader meets None
    Text = str | None
    Strings = list[str] | None
    Numbers = list[int] | None

Instant = Annotated[datetime, msgspec.Meta(tz=True)]  # a time without a zone is refused, not guessed


class Record(msgspec.Struct, frozen=True, gc=False):
    """Read from JSON, never changed. `gc=False`: what JSON gives has no cycles to collect."""


class NullableRecord(Record, frozen=True, gc=False):
    """A record with fields that come as null now and then: `empty` has what to put instead."""

    empty: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def __post_init__(self) -> None:
        for name, make in self.empty:
            value = getattr(self, name)
            # Blank is absent, too: " " has come as the id of what isn't there yet.
            if value is None or (make is str and value.isspace()):
                msgspec.structs.force_setattr(self, name, make())


class Region(Record, frozen=True, gc=False):
    """A resource's region, by the slug; the rest of what comes with it is a catalogue of its own."""

    slug: str
