"""The run of `bin/test` with its own servers up: every check, then every test, whatever fails."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.chromium import CHROMIUM, MISSING

PROJECT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
SOURCES = (
    "arcadia_cloud", "inventory", "catalog", "deployments", "billing", "provisioning", "metering", "drift",
    "simulator", "tests", "bench",
)  # fmt: skip
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
TEMPLATE_VARIABLE = "ARCADIA_TEST_TEMPLATE"
PYTEST = [PYTHON, "-m", "pytest", "-p", "tests.surroundings"]


def main(arguments: list[str]) -> int:
    """0 when all is well. With arguments, only pytest runs, with those."""
    if CHROMIUM is None:
        _tell(f"the browser tests are skipped: {MISSING}")
    if arguments:
        return subprocess.run([*PYTEST, *arguments], cwd=PROJECT, check=False).returncode
    others = checks()
    types = {"types": others.pop("types")}
    with ThreadPoolExecutor() as lanes:
        # It takes as long as all the others together, and the first tests wait often enough.
        failing_types = lanes.submit(_failing, types)
        template = lanes.submit(_make_template)
        failed = _failing(others)
        os.environ[TEMPLATE_VARIABLE] = template.result()
        if not _audit():
            failed.append("known vulnerabilities")
        # Two more than cores: many tests wait, for a process to come up or for time to pass.
        workers = str(min((os.cpu_count() or 1) + 2, 4))
        # New databases at the start; at the end they are left: to drop them takes half a minute.
        databases = ["--reuse-db", "--create-db"]
        options = ["-n", workers, "--dist", "loadgroup", "--durations=25", *databases]
        if not _passes("tests", [*PYTEST, *options]):
            failed.append("tests")
        failed += failing_types.result()
    if failed:
        _tell(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def checks() -> dict[str, list[str]]:
    """The checks beside the tests, in order."""
    manage = [PYTHON, "manage.py"]
    sources = [name for name in SOURCES if next((PROJECT / name).rglob("*.py"), None)]
    return {
        "ruff check": [PYTHON, "-m", "ruff", "check", "."],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
        "import rules": [PYTHON, "-c", LINT_IMPORTS],
        "types": [PYTHON, "-m", "mypy", *sources],
        # Each worker collects for itself: compiled here, once, the modules cost it a third of the time.
        "tests are collected": [*PYTEST, "--collect-only", "-qqq"],
        "system check": [*manage, "check", "--fail-level", "WARNING"],
        "migrations are complete": [*manage, "makemigrations", "--check", "--dry-run"],
        "migrations under load": [PYTHON, "-m", "tests.lint_migrations"],
        "API schema": [*manage, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
    }


def _failing(commands: dict[str, list[str]]) -> list[str]:
    """Run the checks one after the other, each one's output in one piece; the names of those that fail."""
    return [name for name, command in commands.items() if not _passes(name, command, stdout=subprocess.PIPE)]


def _passes(name: str, command: list[str], *, stdout: int | None = None) -> bool:
    started = time.monotonic()
    if stdout is None:
        _tell(f"\n== {name}")
    ended = subprocess.run(
        command, cwd=PROJECT, check=False, stdout=stdout, stderr=stdout and subprocess.STDOUT, text=True
    )
    if stdout is not None:
        _tell(f"\n== {name}\n{ended.stdout}".rstrip())
    status = ended.returncode
    _tell(f"== {name}: {'ok' if status == 0 else 'FAILED'} ({time.monotonic() - started:.1f} s)")
    return status == 0


def _make_template() -> str:
    """Migrate a new database, which each worker's is a copy of; returns its name, "" when that fails."""
    address = urlsplit(os.environ["DATABASE_URL"])
    name = f"test_template_of_{address.path.removeprefix('/')}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    environment = {**os.environ, "DATABASE_URL": urlunsplit(address._replace(path=f"/{name}"))}
    migrate = [PYTHON, "manage.py", "migrate", "--verbosity", "0"]
    return "" if subprocess.run(migrate, cwd=PROJECT, check=False, env=environment).returncode else name


def _audit() -> bool:
    """Whether no locked package has a known vulnerability that a newer version mends.

    One without a fix is only reported: there is nothing to do here. So is a network that gives no answer.
    """
    command = [PYTHON, "-m", "pip_audit", "--progress-spinner=off", "--disable-pip", "--no-deps"]
    command += ["--timeout", "10", "--format", "json", "--requirement", "requirements/base.txt"]
    _tell("\n== known vulnerabilities")
    try:
        result = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        _tell("pip-audit got no answer within 60 s: not checked")
        return True
    try:
        found = read_audit(result.stdout)
    except ValueError:
        _tell("pip-audit can't reach its data: not checked")
        return True
    for vulnerability in found.vulnerabilities:
        _tell(str(vulnerability))
    if found.skipped:
        # A registry without that data answers "not found" for each: that is no clean bill.
        _tell(
            f"not checked, for want of data: {len(found.skipped)} packages ({', '.join(found.skipped[:3])} …)"
        )
    if found.checked and not found.vulnerabilities:
        _tell(f"none known in {found.checked} packages")
    return not any(vulnerability.fixed_in for vulnerability in found.vulnerabilities)


@dataclass(frozen=True)
class Vulnerability:
    """A known one of a locked package, and the versions that mend it."""

    package: str
    id: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.fixed_in)}" if self.fixed_in else "no version mends it yet"
        return f"{self.package}: {self.id}, {mended}"


@dataclass(frozen=True)
class Audit:
    """The findings of pip-audit; `skipped` are packages that its data has nothing on."""

    checked: int
    skipped: tuple[str, ...]
    vulnerabilities: tuple[Vulnerability, ...]


def read_audit(report: str) -> Audit:
    """Read pip-audit's JSON report. Raises ValueError for anything else."""
    packages = json.loads(report)["dependencies"]
    skipped = tuple(package["name"] for package in packages if "skip_reason" in package)
    return Audit(
        checked=len(packages) - len(skipped),
        skipped=skipped,
        vulnerabilities=tuple(
            Vulnerability(
                f"{package['name']} {package['version']}", known["id"], tuple(known["fix_versions"])
            )
            for package in packages
            for known in package.get("vulns", ())
        ),
    )


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
