"""The gate's audit of the locked packages: a vulnerability that a newer version mends fails it."""

import json
import subprocess
from typing import Any

import pytest

from tests import gate

CLEAN: dict[str, Any] = {"name": "celery", "version": "5.5.0", "vulns": []}
MENDED: dict[str, Any] = {
    "name": "requests",
    "version": "2.30.0",
    "vulns": [{"id": "PYSEC-2023-74", "fix_versions": ["2.31.0"], "aliases": [], "description": "Leaks."}],
}
UNMENDED: dict[str, Any] = {
    "name": "redis",
    "version": "6.0.0",
    "vulns": [{"id": "GHSA-0000", "fix_versions": [], "aliases": [], "description": "Hangs."}],
}
SKIPPED: dict[str, Any] = {"name": "amqp", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("report", "passes", "told"),
    [
        ({"dependencies": [CLEAN]}, True, "none known in 1 packages"),
        ({"dependencies": [CLEAN, MENDED]}, False, "requests 2.30.0: PYSEC-2023-74, mended in 2.31.0"),
        ({"dependencies": [UNMENDED]}, True, "redis 6.0.0: GHSA-0000, no version mends it yet"),
        ({"dependencies": [SKIPPED]}, True, "not checked, for want of data: 1 packages (amqp …)"),
        (None, True, "can't reach its data: not checked"),
    ],
)
def test_a_vulnerability_that_a_newer_version_mends_fails_the_gate(
    report: dict[str, Any] | None,
    passes: bool,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        assert "requirements/base.txt" in command
        return subprocess.CompletedProcess(command, 1, stdout=json.dumps(report) if report else "", stderr="")

    monkeypatch.setattr("tests.gate.subprocess.run", answer)
    assert gate._audit() is passes
    output = capsys.readouterr().err
    assert told in output
    assert ("none known" in output) is (told.startswith("none known"))
