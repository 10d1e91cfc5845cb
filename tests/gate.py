"""The run of `bin/test` with its own servers up: every check, then every test, whatever fails."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
SOURCES = (
    "arcadia_cloud", "inventory", "catalog", "deployments", "billing", "provisioning", "metering", "drift",
    "simulator", "tests", "bench",
)  # fmt: skip
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
PYTEST = [PYTHON, "-m", "pytest", "-p", "tests.surroundings"]


def main(arguments: list[str]) -> int:
    """0 when all is well. With arguments, only pytest runs, with those."""
    if not has_chromium():
        _tell("Chromium is not installed: the browser tests are skipped (Debian: apt-get install chromium)")
    if arguments:
        return subprocess.run([*PYTEST, *arguments], cwd=PROJECT, check=False).returncode
    failed = [name for name, command in checks().items() if not _passes(name, command)]
    _audit()
    # One more than cores: many tests wait, for a process to come up or for time to pass.
    workers = str(min((os.cpu_count() or 1) + 1, 4))
    # New databases at the start; at the end they are left to the next run: to drop them takes half a minute.
    databases = ["--reuse-db", "--create-db"]
    if not _passes("tests", [*PYTEST, "-n", workers, "--dist", "loadgroup", "--durations=25", *databases]):
        failed.append("tests")
    if failed:
        _tell(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def checks() -> dict[str, list[str]]:
    """The checks that precede the tests, in order."""
    manage = [PYTHON, "manage.py"]
    sources = [name for name in SOURCES if next((PROJECT / name).rglob("*.py"), None)]
    return {
        "ruff check": [PYTHON, "-m", "ruff", "check", "."],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
        "import rules": [PYTHON, "-c", LINT_IMPORTS],
        "types": [PYTHON, "-m", "mypy", *sources],
        "system check": [*manage, "check", "--fail-level", "WARNING"],
        "migrations are complete": [*manage, "makemigrations", "--check", "--dry-run"],
        "migrations under load": [PYTHON, "-m", "tests.lint_migrations"],
        "API schema": [*manage, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
    }


def has_chromium() -> bool:
    """Whether Debian's Chromium, which the browser tests drive, is there."""
    return any(shutil.which(name) for name in ("chromium", "chromium-browser"))


def _passes(name: str, command: list[str]) -> bool:
    _tell(f"\n== {name}")
    started = time.monotonic()
    status = subprocess.run(command, cwd=PROJECT, check=False).returncode
    _tell(f"== {name}: {'ok' if status == 0 else 'FAILED'} ({time.monotonic() - started:.1f} s)")
    return status == 0


def _audit() -> None:
    """Known vulnerabilities of the locked packages. Needs the network, so it only informs."""
    command = [PYTHON, "-m", "pip_audit", "--progress-spinner=off", "--disable-pip", "--no-deps"]
    command += ["--timeout", "10", "--requirement", "requirements/base.txt"]
    _tell("\n== known vulnerabilities (informs only)")
    try:
        result = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        _tell("pip-audit got no answer within 60 s: not checked")
        return
    if result.returncode == 0:
        _tell("none known")
    elif "Found" in result.stdout + result.stderr:
        _tell(result.stdout + result.stderr)
    else:
        _tell("pip-audit can't reach its data: not checked")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
