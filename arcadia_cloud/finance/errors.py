"""The faults between us and finance, sorted by what the caller should do about them."""


class FinanceError(Exception):
    """Finance did not take an invoice, or didn't confirm it.

    `status` is the HTTP status, None where there was no answer. No text in here holds a token or a secret.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.message = message
        self.status = status
        super().__init__(message)

    def __str__(self) -> str:
        return f"finance: {self.status} {self.message}" if self.status else f"finance: {self.message}"


class FinanceUnavailable(FinanceError):
    """No answer, none for now (connection fault, timeout, 429, 5xx), or one that makes no sense.

    Push again later: finance may have taken the invoice, and knows it by its uuid. `retry_after` is the
    number of seconds that it asks to wait, if it does.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class FinanceRejected(FinanceError):
    """A refusal (any other 4xx, or a redirect): the same invoice brings the same answer."""
