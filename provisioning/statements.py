"""The SQL files beside this module, read once at start, and one way to send them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arcadia_cloud.kernel.database import server_binding_cursor

_FOLDER = Path(__file__).parent / "sql"


def statement(name: str) -> str:
    """The statement of a file in `sql/`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def one_row(sql: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of the answer. Every parameter needs its type in the statement."""
    with server_binding_cursor(prepared=True) as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def all_rows(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Every row of the answer. Every parameter needs its type in the statement."""
    with server_binding_cursor(prepared=True) as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
