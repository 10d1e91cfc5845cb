"""Refusals of the domain. The API's one exception handler and the commands turn them into words."""

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """A rule said no. `code` is stable for clients; `errors` names fields, where fields are at fault."""

    code: ClassVar[str] = "domain_error"
    status: ClassVar[int] = 422  # what the API answers
    retry_after_seconds: ClassVar[int | None] = None  # where waiting helps

    def __init__(self, detail: str, *, errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = dict(errors or {})


class InvalidInput(DomainError):
    """A value that breaks a rule of its own, whatever the rows say."""

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
