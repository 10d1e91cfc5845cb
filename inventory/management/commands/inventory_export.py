"""manage.py inventory_export: the inventory as CSV or JSON, to a file or to standard output."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arcadia_cloud.kernel.api.downloads import Format
from inventory.export import export
from inventory.models import Resource
from inventory.values import Kind

_PIPE_CLOSED = 141  # 128 + SIGPIPE, what a shell's own tools end with when their reader has left


class Command(BaseCommand):
    help = "Write the inventory out, every tenant's, with what the provider charges."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=list(Format), required=True, help="what to write")
        parser.add_argument(
            "--kind",
            action="append",
            choices=Kind.values,
            metavar="K",
            help="only this kind; may be repeated",
        )
        parser.add_argument("--tenant", metavar="ID", help="only this tenant's")
        parser.add_argument("--deleted", action="store_true", help="what is gone instead of what lives")
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            help="the file, for its owner alone to read; it is there once complete",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        output: Path | None = options["output"]
        if output is not None and output.exists() and not (output.is_file() or output.is_dir()):
            raise CommandError(f"{output}: a device or pipe can't be replaced; write to standard output")
        gone = options["deleted"]
        resources = Resource.objects.exclude(deleted_at=None) if gone else Resource.objects.live()
        if options["kind"] is not None:
            resources = resources.filter(kind__in=options["kind"])
        if options["tenant"] is not None:
            resources = resources.filter(tenant_id=options["tenant"])
        pieces = export(resources, Format(options["format"]), for_operator=True)
        if output is not None:
            try:
                _write_whole(output, pieces)
            except OSError as error:
                raise CommandError(f"{output}: {error.strerror}") from error
            return
        try:
            for piece in pieces:
                self.stdout.write(piece.decode(), ending="")
            self.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
            sys.exit(_PIPE_CLOSED)


def _write_whole(file: Path, pieces: Iterable[bytes]) -> None:
    """Write beside the file, then take its place: no reader gets half of it, whenever this is killed."""
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-", delete=False) as partial:
        try:
            for piece in pieces:
                partial.write(piece)
            partial.flush()
            os.fsync(partial.fileno())
            Path(partial.name).replace(file)
        finally:
            Path(partial.name).unlink(missing_ok=True)
