import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from arcadia_cloud.main_job.pipeline import STAGES, Line, ReportProgress, perform


class Command(BaseCommand):
    help = "Run the whole main job one time. Exits with 1 and names the stage when one fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="one JSON object per stage and line, nothing else"
        )

    def handle(self, *_arguments: object, **options: bool) -> None:
        """Progress goes to stderr, results to stdout."""
        lines = []
        try:
            with _progress() as tell:
                for line in perform(STAGES, tell):
                    lines.append(line)
                    if options["json"]:
                        self.stdout.write(_as_json(line))
                        self.stdout.flush()
        except KeyboardInterrupt:
            self.stderr.write("interrupted")
            sys.exit(130)
        failed = [line.stage for line in lines if line.error]
        if not options["json"]:
            _print_table(lines)
        if failed:
            self.stderr.write(f"failed: {', '.join(failed)}")
            sys.exit(1)


@contextmanager
def _progress() -> Iterator[ReportProgress]:
    """One line that changes on a terminal; a line for every new piece of work elsewhere."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("starting the main job") as status:
            yield status.update
        return
    told = set()

    def tell(words: str) -> None:
        work = words.partition(":")[0]
        if work not in told:
            told.add(work)
            console.print(words, markup=False, highlight=False)

    yield tell


def _as_json(line: Line) -> str:
    return json.dumps(
        {
            "stage": line.stage,
            "status": line.status,
            "counts": dict(line.counts),
            "seconds": round(line.seconds, 3),
            "error": line.error,
        }
    )


def _print_table(lines: list[Line]) -> None:
    table = Table("stage", "what it did")
    table.add_column("seconds", justify="right")
    for line in lines:
        done = ", ".join(f"{count} {name}" for name, count in line.counts.items() if count) or "nothing to do"
        table.add_row(line.stage, f"FAILED: {line.error}" if line.error else done, f"{line.seconds:.1f}")
    Console().print(table, markup=False)
