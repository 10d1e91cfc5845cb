"""The SQL files beside this module, read once at start."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_PARTS = ("attribution_rule.sql", "record_ownership_change.sql")


def statement(name: str) -> str:
    """Return the statement of a file in `sql/`, with a line such as `-- attribution_rule.sql` replaced."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    for part in _PARTS:
        text = text.replace(f"-- {part}\n", (_FOLDER / part).read_text(encoding="utf-8"))
    return text
