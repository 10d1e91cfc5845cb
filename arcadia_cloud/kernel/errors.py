"""Refusals of the domain, and an operator's description of any error."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import DatabaseError, InterfaceError


class DomainError(Exception):
    """A rule refused. `code` is stable for clients; `errors` names fields, where fields are at fault."""

    code: ClassVar[str] = "domain_error"
    status: ClassVar[int] = 422  # what the API answers
    retry_after_seconds: ClassVar[int | None] = None  # where waiting helps

    def __init__(self, detail: str, *, errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = dict(errors or {})


class InvalidInput(DomainError):
    """A value that breaks a rule of its own, whatever the rows are."""

    code = "invalid_input"
    status = 400


class Conflict(DomainError):
    """Right in itself, but not in the present state."""

    code = "conflict"
    status = 409


class NotFound(DomainError):
    """No such row, or none that the caller may know of."""

    code = "not_found"
    status = 404


def describe(error: BaseException) -> str:
    """Return an error's reason for an operator, as text that the database can hold.

    A database's message is cut at its first line: the rest may quote rows.
    """
    if isinstance(error, DatabaseError | InterfaceError):
        text = f"the database: {str(error).partition(chr(10))[0]}"
    elif isinstance(error, UnicodeDecodeError):  # its own text is about codecs and bytes
        text = "it is not UTF-8 text"
    else:
        text = str(error) or type(error).__name__
    # A lone surrogate or a NUL would fail the very statement that records the failure.
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
