"""`python -m bench [NAME …] [--json] [--scale F]`: runs benchmarks and prints how they compare."""

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import django
from rich.console import Console
from rich.table import Table

from bench.harness import REGISTRY, Row, tell

TABLE_COLUMNS = 130


def main() -> int:
    """Exit with 0 even when a target is missed (its row says so), 1 when a bench fails, 2 on bad options."""
    parser = argparse.ArgumentParser(
        prog="bin/bench", description="Benchmarks against floors of the same run."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all, if none is named")
    parser.add_argument("--json", action="store_true", help="one JSON object per row and line")
    parser.add_argument("--scale", type=_scale, default=1.0, metavar="F", help="share of the work, as 0.1")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")
    django.setup()
    _discover()
    unknown = [name for name in arguments.names if name not in REGISTRY]
    if unknown:
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(sorted(REGISTRY))}")
    rows, failed = _run(arguments.names or sorted(REGISTRY), arguments.scale, as_json=arguments.json)
    if rows and not arguments.json:
        _print_table(rows)
    if failed:
        tell(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _discover() -> None:
    """Import every module beside this one: each registers its benches."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith("_"):
            importlib.import_module(f"bench.{module.name}")


def _run(names: list[str], scale: float, *, as_json: bool) -> tuple[list[Row], list[str]]:
    """Run the benches, each of several in a process of its own; return their rows and the names that failed.

    In one process the later ones would search what the earlier ones left for garbage, and look slower.
    """
    rows: list[Row] = []
    failed: list[str] = []
    for name in names:
        try:
            for row in _rows_of_child(name, scale) if len(names) > 1 else _rows_of(name, scale):
                rows.append(row)
                if as_json:
                    print(json.dumps(row.as_dict()), flush=True)
        except Exception:  # noqa: BLE001 - one that fails is told, and the others are still of use
            traceback.print_exc()
            failed.append(name)
    return rows, failed


def _rows_of(name: str, scale: float) -> Iterator[Row]:
    tell(f"{name} (scale {scale:g})")
    yield from REGISTRY[name](scale)


def _rows_of_child(name: str, scale: float) -> Iterator[Row]:
    """Yield the rows as they come. Raises CalledProcessError."""
    command = [sys.executable, "-m", "bench", name, "--json", "--scale", str(scale)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout or ():
            yield Row(**json.loads(line))
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)


def _print_table(rows: list[Row]) -> None:
    table = Table(title="Ours against the floor of the same run (medians)")
    for heading in ("bench", "work"):
        table.add_column(heading, overflow="fold")
    for heading in ("ours s", "floor s", "ratio", "target", "met", "queries", "peak MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.bench,
            row.work,
            f"{row.ours_s:.3f}",
            f"{row.floor_s:.3f}",
            f"{row.ratio:.2f}",
            f"{'≥' if row.higher else '≤'} {row.target:g}",
            "[green]yes[/]" if row.met else "[red]no[/]",
            str(row.queries),
            f"{row.peak_mb:.0f}",
        )
    console = Console()
    console.width = max(console.width, TABLE_COLUMNS)  # a pipe's 80 would fold every cell
    console.print(table)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0 and up to 100")
    return scale


if __name__ == "__main__":
    sys.exit(main())
