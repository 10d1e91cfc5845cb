import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from arcadia_cloud.main_job.pipeline import STAGES, ReportProgress, StageResult, run_stages


class Command(BaseCommand):
    help = "Run the whole main job one time. Exits with 1 and names the stage when one fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="one JSON object per stage and line, nothing else"
        )

    def handle(self, *_arguments: object, **options: bool) -> None:
        """Progress goes to stderr, results to stdout."""
        results = []
        try:
            with _show_progress() as report:
                for result in run_stages(STAGES, report):
                    results.append(result)
                    if options["json"]:
                        self.stdout.write(result.to_json())
                        self.stdout.flush()
        except KeyboardInterrupt:
            self.stderr.write("interrupted")
            sys.exit(130)
        failed = [result.stage for result in results if result.error]
        if not options["json"]:
            _print_table(results)
        if failed:
            self.stderr.write(f"failed: {', '.join(failed)}")
            sys.exit(1)


@contextmanager
def _show_progress() -> Iterator[ReportProgress]:
    """Show one line that changes on a terminal, elsewhere a line for every new piece of work."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("starting the main job") as status:
            yield status.update
        return
    shown = set()

    def report(text: str) -> None:
        work = text.partition(":")[0]
        if work not in shown:
            shown.add(work)
            console.print(text, markup=False, highlight=False)

    yield report


def _print_table(results: list[StageResult]) -> None:
    table = Table("stage", "result")
    table.add_column("seconds", justify="right")
    for result in results:
        done = (
            ", ".join(f"{count} {name}" for name, count in result.counts.items() if count) or "nothing to do"
        )
        table.add_row(
            result.stage, f"FAILED: {result.error}" if result.error else done, f"{result.seconds:.1f}"
        )
    Console().print(table, markup=False)
