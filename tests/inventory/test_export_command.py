"""The command that exports the inventory."""

import io
import json
import os
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.inventory.exports import asked, fleet, places, text_of

__all__ = ["fleet", "places"]
pytestmark = pytest.mark.django_db


class TestCommand:
    """manage.py inventory_export."""

    @staticmethod
    def names(*arguments: str) -> list[str]:
        out = io.StringIO()
        call_command("inventory_export", "--format=json", *arguments, stdout=out)
        return [row["name"] for row in json.loads(out.getvalue())]

    def test_it_writes_what_an_operator_sees(self, fleet: None) -> None:
        out = io.StringIO(newline="")
        call_command("inventory_export", "--format=csv", stdout=out)
        assert out.getvalue() == text_of(asked("platform_admin"))

    def test_it_narrows_by_kind_tenant_and_life(self, fleet: None) -> None:
        assert self.names("--tenant=globex") == ["crm"]
        assert self.names("--deleted") == ["gone"]
        assert self.names("--kind=volume") == []
        assert len(self.names("--kind=volume", "--kind=droplet")) == 4

    def test_an_unknown_kind_or_format_is_refused(self) -> None:
        for arguments in (["--format=csv", "--kind=toaster"], ["--format=xml"], []):
            with pytest.raises(CommandError):
                call_command("inventory_export", *arguments)

    def test_a_file_is_there_once_it_is_whole(self, fleet: None, tmp_path: Path) -> None:
        file = tmp_path / "fleet.csv"
        file.write_text("of yesterday")
        call_command("inventory_export", "--format=csv", f"--output={file}")
        assert file.read_bytes().decode() == text_of(asked("platform_admin"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [file]

    def test_a_failure_leaves_the_old_file_and_nothing_else(self, fleet: None, tmp_path: Path) -> None:
        file = tmp_path / "fleet.csv"
        file.mkdir()
        with pytest.raises(CommandError, match=r"fleet\.csv: Is a directory"):
            call_command("inventory_export", "--format=csv", f"--output={file}")
        with pytest.raises(CommandError, match="No such file or directory"):
            call_command("inventory_export", "--format=csv", f"--output={tmp_path}/no/such")
        assert list(tmp_path.iterdir()) == [file]

    def test_a_device_is_not_replaced_by_a_file(self, fleet: None, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with pytest.raises(CommandError, match="pipe"):
            call_command("inventory_export", "--format=csv", f"--output={pipe}")
        assert pipe.is_fifo()
