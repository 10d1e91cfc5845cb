"""Errors whose text is shown at the terminal in place of a traceback."""


class EmbeddedError(Exception):
    """The local stack can't go on; the text has the reason and the remedy."""


class ChildError(EmbeddedError):
    """A process that must be up isn't. The text names it and its log."""


class FolderInUseError(EmbeddedError):
    """Another command owns the state folder; `holder` is what it wrote about itself."""

    def __init__(self, message: str, holder: dict[str, str]) -> None:
        super().__init__(message)
        self.holder = holder


class ProductionError(EmbeddedError):
    """Embedded servers never start in production."""
