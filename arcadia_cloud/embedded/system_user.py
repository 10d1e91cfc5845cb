"""The system user that PostgreSQL runs as when root starts it."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from arcadia_cloud.embedded.errors import ChildError

SYSTEM_USER = "embedded_postgres"


def find_server_user(data: Path, binaries: Path, report: Callable[[str], None]) -> pwd.struct_passwd | None:
    """Return the user to run as, for root alone: PostgreSQL refuses root, so the data's owner runs it.

    New data get the wheel's own system user, made on first use, and folders above them are
    opened for passing through where they were closed.
    """
    if os.geteuid() != 0:
        return None
    is_new = not data.exists() or data.stat().st_uid == 0
    entry = _make_system_user() if is_new else owner_of(data)
    report(f"running as root: PostgreSQL runs as the system user {entry.pw_name}")
    for path in (*data.parents, *binaries.parents):
        if not path.exists():
            path.mkdir()
        if _add_permissions(path, stat.S_IXGRP | stat.S_IXOTH):
            report(f"opened {path} for passing through, so that {entry.pw_name} reaches its files")
    for path in (binaries.parent, *binaries.parent.rglob("*")):
        passing = path.is_dir() or path.parent == binaries
        _add_permissions(path, stat.S_IRGRP | stat.S_IROTH | (stat.S_IXGRP | stat.S_IXOTH if passing else 0))
    return entry


def owner_of(path: Path) -> pwd.struct_passwd:
    """Return the owner. Raises ChildError for a user unknown here: a folder may come from another machine."""
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise ChildError(
            f"{path} belongs to user {uid}, whom this machine doesn't know: give it to one that it knows, "
            "or set ARCADIA_STATE_DIR to another folder"
        ) from None


def _add_permissions(path: Path, bits: int) -> bool:
    """Add permission bits; False when they were there already."""
    mode = path.stat().st_mode
    if mode & bits == bits:
        return False
    path.chmod(mode | bits)
    return True


def _make_system_user() -> pwd.struct_passwd:
    """Return the wheel's own system user, made on first use. Only root can."""
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    try:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER],  # noqa: S607 - in /usr/sbin or /sbin
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ChildError(
            f"PostgreSQL refuses to run as root, and its system user {SYSTEM_USER} could not be made "
            f"({error}): make it, or start as an ordinary user"
        ) from error
    return pwd.getpwnam(SYSTEM_USER)
