"""The embedded stack's state folder, and the file by which other commands find a stack that is up.

`bin/run` writes the addresses of what it started into `stack.json`; a `manage.py` in another
terminal reads them, so that both work on the same database.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from arcadia_cloud.embedded.folder_lock import is_locked

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = (PROJECT / ".arcadia").resolve()
TOKEN_VARIABLES = (
    "DO_API_TOKEN",
    *(f"DO_API_TOKEN_{purpose}" for purpose in ("SYNC", "BILLING", "PROVISIONING", "METERING")),
)
# Each group is taken from one place, all of it: a real account's token must never be sent to a simulator.
# Nor may simulated buckets stand in a real account's inventory.
_TOGETHER = (
    ("DO_API_URL", *TOKEN_VARIABLES, "SPACES_ENDPOINT_URL", "SPACES_KEY", "SPACES_SECRET"),
    ("SKYAI_FINANCE_URL", "SKYAI_FINANCE_JWT_SECRET"),
)
# What holds for the stack's provider alone: how far a simulator's calendar may be from today.
_OF_THE_PROVIDER = "ARCADIA_SAGA_CLOCK_SLACK_SECONDS"


def state_dir() -> Path:
    """Return the folder of all local state: `ARCADIA_STATE_DIR`, else `.arcadia/` in the checkout."""
    return Path(os.environ.get("ARCADIA_STATE_DIR") or DEFAULT_FOLDER).resolve()


def read_running_stack(folder: Path | None = None) -> Mapping[str, str]:
    """Return the variables of the stack that `bin/run` has up; none when it isn't, or can't be read."""
    place = folder or state_dir()
    try:
        variables = json.loads((place / "stack.json").read_text(encoding="utf-8"))
    except OSError:
        return {}
    if not is_locked(place):  # a killed bin/run left the file behind
        return {}
    return {str(name): str(value) for name, value in variables.items()}


def missing_variables(stack: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the stack's variables that `environment` doesn't set, itself or by a `…_FILE`.

    Those that lead to one provider are returned together or not at all.
    """

    def is_unset(name: str) -> bool:
        return not (environment.get(name) or environment.get(f"{name}_FILE"))

    group_of: dict[str, tuple[str, ...]] = {name: group for group in _TOGETHER for name in group}
    group_of[_OF_THE_PROVIDER] = (_OF_THE_PROVIDER, *_TOGETHER[0])
    return {name: value for name, value in stack.items() if all(map(is_unset, group_of.get(name, (name,))))}


def write_stack_file(folder: Path, variables: Mapping[str, str]) -> None:
    """Write the file by which other commands find the stack; readable by its owner alone. Atomic."""
    path = folder / "stack.json"
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)  # before the text, which holds tokens
    draft.write_text(json.dumps(dict(variables), indent=2), encoding="utf-8")
    draft.replace(path)  # a reader never finds half of it


def remove_stack_file(folder: Path) -> None:
    """Remove that file: no stack is up."""
    (folder / "stack.json").unlink(missing_ok=True)
