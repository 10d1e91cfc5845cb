"""The project's Python as text, tokens and tree, read once."""

import ast
import functools
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.gate import PROJECT, SOURCES

TESTED = ("tests", "bench")
SHIPPED = tuple(name for name in SOURCES if name not in TESTED)
# The two rates of the house were first taken without the simulator (1.8 comments, 12.6 private functions):
# a figure over other files couldn't be compared with those.
MEASURED = tuple(name for name in SHIPPED if name != "simulator")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Import: TypeAlias = ast.Import | ast.ImportFrom
Documented: TypeAlias = Function | ast.ClassDef | ast.Module

# An abbreviation ends before the next word's capital: HTTPError is `http`, `error`.
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_DIRECTIVE = re.compile(
    r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^]]*])?|(?:fmt|ruff|pragma):\s*\w+|!)"
)


@dataclass(frozen=True, eq=False)
class Source:
    """One Python file."""

    path: str
    text: str

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @functools.cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @functools.cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        return list(tokenize.generate_tokens(io.StringIO(self.text).readline))

    @property
    def filled_lines(self) -> int:
        """Count the lines that aren't blank; comments and docstrings are among them."""
        return sum(bool(line.strip()) for line in self.lines)

    def at(self, line: int, text: str) -> str:
        return f"{self.path}:{line}: {text}"

    def functions(self) -> Iterator[Function]:
        return (node for node in self.nodes if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in self.nodes if isinstance(node, ast.ClassDef))

    @functools.cached_property
    def imports(self) -> list[Import]:
        return [node for node in self.nodes if isinstance(node, Import)]

    @functools.cached_property
    def docstrings(self) -> list[tuple[int, str]]:
        """Each docstring and the line that it begins in."""
        return [
            (node.body[0].lineno, text)
            for node in self.nodes
            if isinstance(node, Documented) and (text := ast.get_docstring(node)) is not None
        ]

    def identifiers(self) -> Iterator[tuple[int, str]]:
        for token in self.tokens:
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                yield token.start[0], token.string

    def comments(self) -> Iterator[tuple[int, str]]:
        """Yield the comments that have words; `noqa` and its like count where a reason follows."""
        for token in self.tokens:
            # Cut off the directive first: its codes are letters too.
            if token.type == tokenize.COMMENT and re.search("[A-Za-z]", _DIRECTIVE.sub("", token.string)):
                yield token.start[0], token.string


@functools.cache
def sources(*roots: str) -> list[Source]:
    """Read the Python files below `roots`, without migrations, which keep the names of their time."""
    files = [path.relative_to(PROJECT) for root in roots for path in sorted((PROJECT / root).rglob("*.py"))]
    return [_source(file) for file in files if "migrations" not in file.parts]


@functools.cache
def _source(file: Path) -> Source:
    return Source(str(file), (PROJECT / file).read_text(encoding="utf-8"))


@functools.cache
def words_of(identifier: str) -> tuple[str, ...]:
    """Split `snake_case`, `CamelCase` and `CONSTANTS` into lower-case words."""
    return tuple(word.lower() for word in _WORD.findall(identifier))
