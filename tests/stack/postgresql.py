"""A real PostgreSQL of the distribution: in a temporary folder, on a free loopback port, never as root.

with PostgreSQL.start() as server:
    with server.database(migrated=True) as url: Database(url)

`python -m tests.stack.postgresql` is part of `make test`: it installs the distribution's package where it is missing,
or says in one line how to. Nothing of a server that runs on this machine already is used or changed.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg

from plugin.store.database import Database
from tests.stack import distribution
from tests.stack.cleared import is_cleared, shape_of
from tests.stack.errors import StackError
from tests.stack.process import ChildProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = "postgresql"
ADMIN: Final = "admin"
_UNPRIVILEGED: Final = ("postgres", "nobody")  # PostgreSQL refuses to run as root
_START_S: Final = 30.0
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "fsync": "off",  # nothing here outlives the test; what a process that is killed had written stays all the same
    "full_page_writes": "off",
    "log_min_messages": "warning",
    "autovacuum": "off",
}


class PostgreSQLMissing(StackError):  # noqa: N818  (reads as what happened)
    """No server programs, and no way to install them from here."""


def how_to() -> str:
    return f"PostgreSQL is needed for the tests; install it (Debian: apt-get install {PACKAGE}), then run again"


def find() -> Path | None:
    """Return the folder of the newest installed server programs, or None."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(versions, key=lambda path: int(path.parent.name.split(".")[0]), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*newest, *([Path(on_path).parent] if on_path else [])]:
        if all((folder / name).is_file() for name in ("initdb", "postgres")):
            return folder
    return None


def ensure() -> Path:
    """Return the folder of the server programs, installing the distribution's package when we may.

    Raises:
        PostgreSQLMissing: with the one line to show.
    """
    folder = find()
    if folder is None:
        try:
            distribution.install(PACKAGE)
        except distribution.CannotInstall as exc:
            raise PostgreSQLMissing(f"{how_to()} ({exc})") from exc
        folder = find()
    if folder is None:
        raise PostgreSQLMissing(how_to())
    return folder


class PostgreSQL:
    """A running server with one administrator, whose password nobody else knows."""

    def __init__(self, folder: Path, *, port: int, password: str, process: ChildProcess) -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self._password = password
        self._template: str | None = None
        self._shape: list[Any] = []
        self._spare: list[str] = []  # emptied ones with all tables, for the next test

    @classmethod
    def start(cls, *, fsync: bool = False) -> PostgreSQL:
        """Make a cluster in a new folder, start it and wait until it answers. Raises StackError.

        With `fsync` it flushes as it would in production; tests need no more than that a killed client changes nothing.
        """
        programs = find()
        if programs is None:
            raise PostgreSQLMissing(how_to())
        folder = Path(tempfile.mkdtemp(prefix="facestep-postgresql-"))
        as_user = _as_another_user(folder)
        password, port = secrets.token_urlsafe(16), free_port()
        try:
            _make_cluster(programs, folder, as_user=as_user, password=password)
            chosen = _SETTINGS | ({"fsync": "on", "full_page_writes": "on"} if fsync else {})
            settings = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
            argv = [*as_user, str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *settings]
            process = ChildProcess(argv, log=folder / "server.log", env={}, name="PostgreSQL")
            server = cls(folder, port=port, password=password, process=process)
            process.wait_until(server.answers, seconds=_START_S)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server at once and remove everything it kept."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, *, role: str = ADMIN, password: str | None = None) -> str:
        return f"postgresql://{role}:{password or self._password}@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def run(self, *statements: str, database: str = "postgres", role: str = ADMIN, password: str | None = None) -> None:
        """Do what an administrator does at a psql prompt."""
        url = self.url(database, role=role, password=password)
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]  # our own text

    @contextmanager
    def database(self, *, migrated: bool = True, copy_of: str | None = None) -> Iterator[str]:
        """Yield the address of a database without rows; it is emptied or dropped afterwards, whoever is connected.

        Args:
            migrated: with all tables, else without.
            copy_of: the address of a database to copy, which nobody may be connected to.
        """
        usual = migrated and copy_of is None
        if usual and self._spare:
            name = self._spare.pop()
        else:
            name = f"test_{secrets.token_hex(6)}"
            source = copy_of.rpartition("/")[2] if copy_of else self._migrated() if migrated else "template1"
            self.run(f"CREATE DATABASE {name} TEMPLATE {source}")
        try:
            yield self.url(name)
        finally:
            if usual and is_cleared(self.url(name), shape=self._shape):
                self._spare.append(name)
            else:
                self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _migrated(self) -> str:
        """Return the name of a database with all tables, which new ones are copied from."""
        if self._template is None:
            self.run("CREATE DATABASE migrated")
            with closing(Database(self.url("migrated"))) as database:
                database.migrate()
            self._shape = shape_of(self.url("migrated"))
            self._template = "migrated"
        return self._template


def _as_another_user(folder: Path) -> list[str]:
    """Return the words that run a command as somebody who is not root, and give him the folder."""
    if os.geteuid():
        return []
    for name in _UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    raise StackError(f"PostgreSQL does not run as root; make one of the users {', '.join(_UNPRIVILEGED)}")


def _make_cluster(programs: Path, folder: Path, *, as_user: list[str], password: str) -> None:
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    if as_user:
        owner = folder.stat()
        os.chown(secret, owner.st_uid, owner.st_gid)
    done = subprocess.run(
        [
            *(*as_user, str(programs / "initdb"), "-D", str(folder / "data"), "-U", ADMIN, "--pwfile", str(secret)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    secret.unlink()
    if done.returncode:
        raise StackError(f"initdb failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")


def main() -> int:
    try:
        ensure()
    except PostgreSQLMissing as exc:
        print(f"facestep: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
