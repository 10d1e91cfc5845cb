"""The countable rules of the house: each finds what breaks it, by file and line.

`python -m tests.house.measure` prints every figure, `--all` every finding too.
"""

import ast
import functools
import itertools
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final, TypeAlias

from tests.gate import PROJECT
from tests.house import words
from tests.house.source import MEASURED, SHIPPED, TESTED, Function, Import, Source, sources, words_of

Count: TypeAlias = Callable[[], list[str]]

LONGEST_FILE: Final = 400
LONGEST_EXCUSED_BODY: Final = 5  # lines: a jump for fewer costs a reader more than it spares


@dataclass(frozen=True, slots=True)
class Rate:
    """A count per `per` filled lines."""

    findings: list[str]
    lines: int
    per: int

    @property
    def value(self) -> float:
        return len(self.findings) * self.per / self.lines

    def __str__(self) -> str:
        return f"{self.value:.2f} per {self.per:,} lines ({len(self.findings):,} in {self.lines:,})"


def import_cycles() -> list[str]:
    """Find cycles of modules; an import for types alone, or within a function, is an edge like any other."""
    edges = dict(_import_edges())
    graph: dict[str, set[str]] = {}
    for importer, imported in edges:
        graph.setdefault(importer, set()).add(imported)
    cycles = []
    while (cycle := _one_cycle(graph)) is not None:
        cycles.append(", ".join(edges[edge] for edge in cycle))
        # Without its last edge the next look finds another cycle, until none is left.
        graph[cycle[-1][0]].discard(cycle[-1][1])
    return cycles


def _one_cycle(graph: dict[str, set[str]]) -> list[tuple[str, str]] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        imported_first: list[str] = error.args[1]
        nodes = imported_first[::-1]
        return list(itertools.pairwise(nodes))
    return None


def _import_edges() -> Iterator[tuple[tuple[str, str], str]]:
    modules = {source.module for source in sources(*SHIPPED)}
    for source in sources(*SHIPPED):
        for node in source.imports:
            for name in _imported_names(node):
                imported = _module_of(name, modules)
                if imported not in {None, source.module}:
                    yield (source.module, imported), source.at(node.lineno, f"imports {imported}")


def _imported_names(node: Import) -> list[str]:
    """Return dotted names, `from a import b` as `a.b`. Relative imports are refused by ruff."""
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [f"{prefix}{alias.name}" for alias in node.names]


def _module_of(name: str, modules: set[str]) -> str | None:
    """Return the longest part of a dotted name that is a module here; None if the name is of a library."""
    while name not in modules:
        name, dot, _ = name.rpartition(".")
        if not dot:
            return None
    return name


def function_level_imports(*roots: str) -> list[str]:
    return sorted({
        source.at(node.lineno, f"import within {function.name}()")
        for source in sources(*roots)
        if any(node.col_offset for node in source.imports)  # most files are done with here: a walk takes long
        for function in source.functions()
        for node in ast.walk(function)
        if isinstance(node, Import)
    })  # fmt: skip


def long_files() -> list[str]:
    return [
        source.at(len(source.lines), f"more than {LONGEST_FILE} lines")
        for source in sources(*SHIPPED, *TESTED)
        if len(source.lines) > LONGEST_FILE
    ]


def single_use_private_functions(*roots: str) -> Rate:
    """Find private functions and methods with one reference outside themselves, whatever their length."""
    found = [
        source.at(function.lineno, f"{function.name}, {_body_lines(function)} lines")
        for source, function in _single_uses(roots)
    ]
    return Rate(found, _filled_lines(roots), per=1000)


def short_single_use_private_functions(*roots: str) -> Rate:
    """Find those of them whose body is so short that they are best inlined."""
    found = [
        source.at(function.lineno, function.name)
        for source, function in _single_uses(roots)
        if not function.decorator_list and _body_lines(function) <= LONGEST_EXCUSED_BODY
    ]
    return Rate(found, _filled_lines(roots), per=1000)


@functools.cache
def _single_uses(roots: tuple[str, ...]) -> list[tuple[Source, Function]]:
    found = []
    imported = Counter(
        name for source in sources(*SHIPPED) for node in source.imports for name in _imported_names(node)
    )
    for source in sources(*roots):
        references = _references(source.nodes)
        for function in source.functions():
            if function.name.startswith("_") and not function.name.startswith("__"):
                # A call of itself is no second use.
                own = _references(ast.walk(function))[function.name]
                elsewhere = imported[f"{source.module}.{function.name}"]
                if references[function.name] - own + elsewhere == 1:
                    found.append((source, function))
    return found


def _references(nodes: Iterable[ast.AST]) -> Counter[str]:
    """Count names, attributes and, since Django's options name methods so, strings."""
    counts: Counter[str] = Counter()
    for node in nodes:
        if isinstance(node, ast.Name):
            counts[node.id] += 1
        elif isinstance(node, ast.Attribute):
            counts[node.attr] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            counts[node.value] += 1
    return counts


def _body_lines(function: Function) -> int:
    body = function.body if ast.get_docstring(function) is None else function.body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _filled_lines(roots: tuple[str, ...]) -> int:
    return sum(source.filled_lines for source in sources(*roots))


def comments(*roots: str) -> Rate:
    found = [source.at(line, text) for source in sources(*roots) for line, text in source.comments()]
    return Rate(found, _filled_lines(roots), per=100)


def docstring_openings() -> list[str]:
    """Find docstrings that open with a question's word."""
    opening = re.compile(rf"(?:{'|'.join(words.DOCSTRING_OPENINGS)})\b")
    return [
        source.at(line, text.splitlines()[0])
        for source in sources(*SHIPPED, "tests")
        for line, text in source.docstrings
        if opening.match(text)
    ]


def docstring_words() -> list[str]:
    """Find docstrings with a figure of speech, or with a verb that `return`, `log` or `report` replaces."""
    figure = re.compile(rf"\b(?:{'|'.join(words.DOCSTRING_WORDS)})\b", re.IGNORECASE)
    return [
        source.at(line + text.count("\n", 0, match.start()), match.group())
        for source in sources(*SHIPPED, "tests")
        for line, text in source.docstrings
        for match in figure.finditer(text)
    ]


def gerund_modules() -> list[str]:
    found = []
    for source in sources(*SHIPPED):
        name = source.module.rpartition(".")[2]
        gerunds = [word for word in words_of(name) if word.endswith("ing")]
        if not words.NOUNS_IN_ING.issuperset(gerunds):
            found.append(source.at(1, name))
    return found


def participle_types() -> list[str]:
    """Find classes named by a participle. Exceptions aren't counted: they are named for what happened."""
    exceptions = _exceptions()
    return [
        source.at(node.lineno, node.name)
        for source in sources(*SHIPPED)
        for node in source.classes()
        if node.name not in exceptions
        and node.name not in words.TYPES_IN_ED
        and _is_participle(words_of(node.name)[-1])
    ]


def _exceptions() -> set[str]:
    """Return the exceptions among our classes: a base is one, or is called one."""
    bases = {
        node.name: {name.split(".")[-1] for name in map(ast.unparse, node.bases)}
        for source in sources(*SHIPPED)
        for node in source.classes()
    }
    found: set[str] = set()
    while True:
        more = {
            name
            for name, parents in bases.items()
            if parents & found or any(parent.endswith(("Error", "Exception")) for parent in parents)
        }
        if more == found:
            return found
        found = more


def participle_functions() -> list[str]:
    """Find private functions that are one word, a participle: `_kept`."""
    return [
        source.at(function.lineno, function.name)
        for source in sources(*SHIPPED)
        for function in source.functions()
        if re.fullmatch("_[a-z]+", function.name) and _is_participle(function.name[1:])
    ]


def _is_participle(word: str) -> bool:
    return word in words.IRREGULAR_PARTICIPLES or (word.endswith("ed") and word not in words.VERBS_IN_ED)


def actor_parameters() -> list[str]:
    """Find parameters for who acts that aren't `actor`; a `by` that isn't text is something else."""
    found = []
    for source in sources(*SHIPPED):
        for function in source.functions():
            arguments = function.args
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                kind = "str" if argument.annotation is None else ast.unparse(argument.annotation)
                if argument.arg == "requested_by" or (argument.arg == "by" and kind.startswith("str")):
                    found.append(source.at(argument.lineno, f"{function.name}({argument.arg})"))
    return found


def old_identifiers() -> list[str]:
    """Find identifiers with a figure of speech, or a name that the house has replaced."""
    phrase = re.compile(rf"(?:^|_)(?:{'|'.join(words.IDENTIFIER_WORDS)})(?:_|$)")

    @functools.cache
    def is_old(identifier: str) -> bool:
        return identifier in words.IDENTIFIERS or phrase.search("_".join(words_of(identifier))) is not None

    return [
        source.at(line, identifier)
        for source in sources(*SHIPPED)
        for line, identifier in source.identifiers()
        # `file.tell()` is the library's name of a position.
        if not (identifier == "tell" and ".tell()" in source.lines[line - 1])
        if is_old(identifier)
    ]


def old_definitions() -> list[str]:
    return [
        source.at(node.lineno, node.name)
        for root, names in words.DEFINITIONS.items()
        for source in sources(root)
        for node in (*source.functions(), *source.classes())
        if node.name in names
    ]


def old_modules() -> list[str]:
    return [source.at(1, source.module) for source in sources(*SHIPPED) if source.module in words.MODULES]


def old_statements() -> list[str]:
    phrase = re.compile(rf"(?:^|_)(?:{'|'.join(words.IDENTIFIER_WORDS)})(?:_|$)")
    files = [file for root in SHIPPED for file in sorted((PROJECT / root).rglob("*.sql"))]
    return [
        f"{file.relative_to(PROJECT)}:1: {file.stem}"
        for file in files
        if file.stem in words.STATEMENTS or phrase.search(file.stem)
    ]


def old_labels() -> list[str]:
    """Find the console's replaced labels in strings and templates."""
    label = re.compile("|".join(map(re.escape, words.LABELS)))
    found = [
        source.at(node.lineno, node.value)
        for source in sources(*SHIPPED)
        for node in source.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and label.match(node.value)
    ]
    for template in sorted((PROJECT / "templates").rglob("*.html")):
        for number, line in enumerate(template.read_text(encoding="utf-8").splitlines(), 1):
            if label.search(line):
                found.append(f"{template.relative_to(PROJECT)}:{number}: {line.strip()}")
    return found


COUNTS: Final[dict[str, Count]] = {
    "import cycles": import_cycles,
    "imports within functions": lambda: function_level_imports(*SHIPPED, *TESTED),
    f"files over {LONGEST_FILE} lines": long_files,
    "docstrings that open with a question's word": docstring_openings,
    "docstrings with a figure of speech": docstring_words,
    "modules named by a gerund": gerund_modules,
    "types named by a participle": participle_types,
    "private functions named by a participle": participle_functions,
    "parameters for who acts that aren't `actor`": actor_parameters,
    "identifiers that the house has replaced": old_identifiers,
    "definitions that the house has replaced": old_definitions,
    "modules that the house has replaced": old_modules,
    "statements that the house has replaced": old_statements,
    "labels that the house has replaced": old_labels,
}
RATES: Final[dict[str, Callable[..., Rate]]] = {
    "single-use private functions": single_use_private_functions,
    "of them undecorated and short": short_single_use_private_functions,
    "comments": comments,
}


def worst_files(findings: Iterable[str], most: int = 15) -> str:
    counts = Counter(finding.partition(":")[0] for finding in findings)
    return "\n".join(f"{count:4} {path}" for path, count in counts.most_common(most))


def main(arguments: list[str]) -> None:
    for name, count in COUNTS.items():
        findings = count()
        sys.stdout.write(f"{len(findings):6}  {name}\n")
        if "--all" in arguments:
            sys.stdout.writelines(f"          {finding}\n" for finding in findings)
    for name, rate in RATES.items():
        for roots in (MEASURED, ("simulator",), ("tests",)):
            where = roots[0] if len(roots) == 1 else "apps"
            sys.stdout.write(f"{rate(*roots)}  {name}, {where}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
