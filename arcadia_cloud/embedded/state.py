"""Where the embedded stack keeps its state, and how other commands find a stack that is up.

`bin/run` writes the addresses of what it started into `stack.json`; a `manage.py` in another
terminal reads them, so that both work on the same database.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from arcadia_cloud.embedded.locks import is_owned

PROJECT = Path(__file__).resolve().parents[2]


def state_dir() -> Path:
    """The folder of all local state: `ARCADIA_STATE_DIR`, else `.arcadia/` in the checkout."""
    return Path(os.environ.get("ARCADIA_STATE_DIR") or PROJECT / ".arcadia").resolve()


def running_stack(folder: Path | None = None) -> Mapping[str, str]:
    """The variables of the stack that `bin/run` has up, or none when it isn't, or isn't ours to read."""
    place = folder or state_dir()
    try:
        variables = json.loads((place / "stack.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, PermissionError):
        return {}
    if not is_owned(place):  # a killed bin/run left the file behind
        return {}
    return {str(name): str(value) for name, value in variables.items()}


def write_stack(folder: Path, variables: Mapping[str, str]) -> None:
    """Tell other commands where the stack is; readable by its owner alone. Atomic."""
    path = folder / "stack.json"
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(dict(variables), indent=2), encoding="utf-8")
    draft.replace(path)


def forget_stack(folder: Path) -> None:
    """Say that no stack is up."""
    (folder / "stack.json").unlink(missing_ok=True)
