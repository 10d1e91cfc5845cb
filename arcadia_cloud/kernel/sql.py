"""The one loader of SQL statements, and the one way to run them.

A statement is a file in a package's `sql/` folder, read when the module that runs it is imported. The comment
at its top is its head: purpose, `parameters`, `returns`, `locks`. A line `-- include: part.sql` is replaced
by that file, named by its path from the folder of the file that has the line. A missing one fails the import.

Rows come by the names of their columns, into NamedTuples or frozen dataclasses, never cut by position.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, TypeVar

from psycopg import Cursor
from psycopg.rows import RowMaker, no_result

from arcadia_cloud.kernel.database import server_binding_cursor

T = TypeVar("T")

_INCLUDE: Final = re.compile(r"\s*-- include: (?P<path>\S+)\s*")
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_COMMENT: Final = "--"
_loaded: Final[dict[Path, "Statement"]] = {}


class StatementError(Exception):
    """A statement's file, or the rows that it returns, aren't what the code that runs it needs."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the server gets it, without its comments. `parameters` are named in order of first use.

    `head` is the comment at its file's top. A file of several commands is a script: it takes no parameters
    and can't be prepared.
    """

    file: Path
    head: str
    text: str
    parameters: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.file.name


def load(where: str | Path, name: str) -> Statement:
    """Read a statement of a package's `sql/` folder; `where` is `__package__`, or the folder itself.

    Raises FileNotFoundError for a missing file or include, StatementError for one without a head and for
    files that include each other.
    """
    folder = where if isinstance(where, Path) else Path(str(files(where))) / "sql"
    file = (folder / name).resolve()
    if file not in _loaded:
        lines = file.read_text(encoding="utf-8").splitlines()
        head = "\n".join(
            line.removeprefix(_COMMENT).removeprefix(" ")
            for line in takewhile(lambda line: line.startswith(_COMMENT), lines)
            if not _INCLUDE.fullmatch(line)
        )
        if not head:
            raise StatementError(f"{file} has no head: a comment at its top with its purpose")
        body = "\n".join(
            line for line in _expand_includes(file, lines, ()) if not line.lstrip().startswith(_COMMENT)
        )
        parameters = tuple(dict.fromkeys(_PARAMETER.findall(body)))
        # The file's name goes along, for who reads the server's log.
        _loaded[file] = Statement(file, head, f"-- {name}\n{body}\n", parameters)
    return _loaded[file]


def all_statements() -> tuple[Statement, ...]:
    """Return every statement that the modules imported so far have loaded."""
    return tuple(_loaded.values())


def execute(
    statement: Statement, parameters: Mapping[str, Any] | None = None, *, prepared: bool = False
) -> int:
    """Run it, and return how many rows it wrote or found.

    As the other functions here: inside the caller's transaction, and with its parameters sent beside it.
    `prepared` is for short statements that are sent again and again; see `server_binding_cursor`.
    """
    with server_binding_cursor(prepared=prepared) as cursor:
        cursor.execute(statement.text, parameters or None)
        rows: int = cursor.rowcount
    return rows


def fetch_one(
    statement: Statement,
    parameters: Mapping[str, Any] | None = None,
    *,
    into: type[T],
    prepared: bool = False,
) -> T | None:
    """Run it, and return its first row; None where there is none.

    `into` is a NamedTuple or a dataclass with a field for each column, whatever their order. A column whose
    name begins with an underscore is left out. Any other type, such as `int`, is the only column's.
    Raises StatementError where the columns aren't those of `into`.
    """
    with server_binding_cursor(prepared=prepared) as cursor:
        cursor.cursor.row_factory = _build_row_factory(into)
        cursor.execute(statement.text, parameters or None)
        row: T | None = cursor.fetchone()
    return row


def fetch_all(
    statement: Statement,
    parameters: Mapping[str, Any] | None = None,
    *,
    into: type[T],
    prepared: bool = False,
) -> list[T]:
    """Run it, and return its rows as `fetch_one` does."""
    with server_binding_cursor(prepared=prepared) as cursor:
        cursor.cursor.row_factory = _build_row_factory(into)
        cursor.execute(statement.text, parameters or None)
        rows: list[T] = cursor.fetchall()
    return rows


class FetchesAhead:
    """Statements that the server works on, one after the other, while the caller computes.

    Until the last is answered, nothing else can be asked of the connection. Made by `fetching_ahead`.
    """

    def __init__(self, ahead: Executor) -> None:
        self._ahead = ahead

    def fetch_all(
        self, statement: Statement, parameters: Mapping[str, Any], *, into: type[T]
    ) -> Future[list[T]]:
        """Ask for the rows that `fetch_all` returns; the result waits for them."""
        # Opened here: to Django, the other thread would have a connection of its own.
        held = ExitStack()
        cursor = held.enter_context(server_binding_cursor())
        cursor.cursor.row_factory = _build_row_factory(into)

        def fetch() -> list[T]:
            with held:
                cursor.execute(statement.text, parameters)
                rows: list[T] = cursor.fetchall()
                return rows

        return self._ahead.submit(fetch)


@contextmanager
def fetching_ahead() -> Iterator[FetchesAhead]:
    """Yield what asks for rows before they are needed. At the end, what hasn't begun is dropped."""
    # One thread, so that no two statements meet; it waits for the server without holding up this one.
    ahead = ThreadPoolExecutor(1, "ahead")
    try:
        yield FetchesAhead(ahead)
    finally:
        ahead.shutdown(wait=True, cancel_futures=True)


def _expand_includes(file: Path, lines: Sequence[str], within: tuple[Path, ...]) -> list[str]:
    """Return the lines with those of every included file in their place."""
    if file in within:
        raise StatementError(f"{file} includes itself, by way of {within[-1].name}")
    found: list[str] = []
    for line in lines:
        include = _INCLUDE.fullmatch(line)
        if include is None:
            found.append(line)
            continue
        part = (file.parent / include["path"]).resolve()
        if not part.is_file():
            raise FileNotFoundError(f"{file} includes {include['path']}: there is no {part}")
        found += _expand_includes(part, part.read_text(encoding="utf-8").splitlines(), (*within, file))
    return found


def _build_row_factory(into: Any) -> Callable[[Cursor[Any]], RowMaker[Any]]:
    def factory(cursor: Cursor[Any]) -> RowMaker[Any]:
        result = cursor.pgresult
        columns = () if result is None else tuple(result.fname(each) for each in range(result.nfields))
        return _build_row_maker(into, columns)

    return factory


@lru_cache(maxsize=1024)  # an engine runs the same few statements over and over: the first run pays
def _build_row_maker(into: Any, columns: tuple[bytes | None, ...]) -> RowMaker[Any]:
    names = [(column or b"").decode() for column in columns]
    if not names:  # the statement returns no rows: the cursor itself refuses to fetch any
        return no_result
    wanted: Sequence[str] | None = getattr(into, "_fields", None)
    if is_dataclass(into):
        wanted = [field.name for field in fields(into) if field.init]
    if wanted is None:
        if len(names) != 1:
            raise StatementError(f"a row of {', '.join(names)} is no single {into.__name__}")

        def make_value(values: Sequence[Any]) -> Any:
            value = values[0]
            # A null, or a type that the column has changed to, is refused here and not where it is used.
            if not isinstance(value, into):
                raise StatementError(f"{names[0]} is {type(value).__name__}, not {into.__name__}")
            return value

        return make_value
    kept = [name for name in names if not name.startswith("_")]
    if sorted(kept) != sorted(wanted):
        raise StatementError(f"{into.__name__} has {', '.join(wanted)}; the row has {', '.join(kept)}")
    if names == list(wanted):
        make: RowMaker[Any] = getattr(into, "_make", lambda values: into(*values))
        return make
    # By place only from here on: looking names up for each row would cost more than the row itself.
    places = [names.index(name) for name in wanted]
    return lambda values: into(*[values[place] for place in places])
