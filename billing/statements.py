"""The SQL files beside this module, read once at start."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_PARTS = ("match_lines.sql",)


def statement(name: str) -> str:
    """The statement of a file in `sql/`. Where it has a line `-- match_lines.sql`, that file is put in."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    for part in _PARTS:
        text = text.replace(f"-- {part}\n", (_FOLDER / part).read_text(encoding="utf-8"))
    return text
