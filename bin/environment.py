# ruff: noqa: INP001 - a script, run before any package is installed
"""Makes `.venv` hold what a lock names: `python3 bin/environment.py local`. Standard library only.

A stamp keeps the lock's digest, so that a later start costs nothing. pip brings uv, uv the rest, both
only with the hashes of the lock.
"""

import fcntl
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
# Each lock holds all of those before it.
COVERS = {"local": ("local", "test", "bench"), "test": ("test", "bench"), "bench": ("bench",)}


def main(name: str) -> None:
    """Install what is missing, one process at a time. Exits with words when a step fails."""
    if _is_stamped(name):
        return
    with (PROJECT / "pyproject.toml").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not _is_stamped(name):
            _install(name)


def _install(name: str) -> None:
    started = time.monotonic()
    lock = PROJECT / "requirements" / f"{name}.txt"
    if not _works():
        _tell(f"making .venv with Python {sys.version.split()[0]} (once)")
        _run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            "python3 -m venv failed; is python3-venv installed?",
        )
    if subprocess.run([PYTHON, "-m", "uv", "--version"], capture_output=True, check=False).returncode:
        _tell("installing uv with pip")
        only_uv = VENV / "uv.txt"
        only_uv.write_text(_entry("uv", lock.read_text()))
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*pip, "-r", str(only_uv)], "pip could not install uv")
    packages = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    _tell(f"installing up to {packages} packages of requirements/{name}.txt with uv")
    uv = [PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, "--require-hashes", "-r", str(lock)]
    _run(uv, "uv could not install the packages")
    _stamp(name).write_text(_digest(name))
    _tell(f"the environment is ready after {time.monotonic() - started:.0f} s")


def _works() -> bool:
    """Whether there is a virtual environment that runs; a copied or half-made one doesn't."""
    if not PYTHON.exists():
        return False
    return (
        subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )


def _is_stamped(name: str) -> bool:
    return PYTHON.exists() and any(
        _stamp(lock).exists() and _stamp(lock).read_text() == _digest(lock) for lock in COVERS[name]
    )


def _stamp(name: str) -> Path:
    return VENV / f"installed-{name}.sha256"


def _digest(name: str) -> str:
    """Of the lock and of where the environment stands: a moved one has scripts that point nowhere."""
    lock = (PROJECT / "requirements" / f"{name}.txt").read_bytes()
    return hashlib.sha256(lock + bytes(VENV)).hexdigest()


def _entry(package: str, lock: str) -> str:
    """One package's lines of a lock, hashes included."""
    found = re.search(rf"^{package}==(?:.*\\\n)*.*", lock, re.MULTILINE)
    if found is None:
        sys.exit(f"the lock does not name {package}")
    return found[0] + "\n"


def _run(command: list[object], problem: str) -> None:
    if subprocess.run([str(part) for part in command], check=False, stdout=sys.stderr).returncode:
        sys.exit(f"{problem} (the lines above say why)")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1])
