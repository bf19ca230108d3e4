"""A real Keycloak with our extension, on loopback.

with Keycloak(folder, port=free_port()) as keycloak: ... keycloak.url ...

Rules:
 * The distribution comes through Maven by its pinned version and is used only if its digest matches.
 * `kc.sh build` and the tables of an empty database are made once for a pair of distribution and jar, and kept in the
   cache. Measured: a start takes 13 CPU seconds instead of 34.
 * Each instance has its own copy of the database (H2, in `folder`), its own keys and its own random admin password.

Not here: what is set up in it (`facestep keycloak install`), people and clients of tests (keycloak_people.py).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.stack.errors import StackError
from tests.stack.process import ChildProcess, answers, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = "26.7.4"
DIGEST: Final = "a286e98b4296d4e75ee88d8527c7cd463b307caa022f088c9f22cffccc741fa1"
ARCHIVE: Final = f"keycloak-quarkus-dist-{VERSION}.zip"
CACHE: Final = Path("~/.cache/facestep").expanduser()
JAR: Final = Path(__file__).parents[2] / "keycloak_extension" / "target" / "facestep-keycloak.jar"
JAVA: Final = {"JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx640m", "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1"}
"""Bounded memory (about 480 MB resident), and no second compiler: it costs more than it brings to a server that lives
for minutes."""
START_S: Final = 180
"""Seconds on an idle machine; minutes while two cores are shared with other tests."""
BUILD_OPTIONS: Final = ("--db=dev-file", "--cache=local", "--health-enabled=false")
TABLES: Final = "empty-database"


class Keycloak:
    """One server. `launch` and `wait` are apart so that others can start meanwhile."""

    def __init__(self, folder: Path, *, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://localhost:{port}"
        self.log = folder / "keycloak.log"
        self.admin_user = "admin"
        self.admin_password = secrets.token_urlsafe(18)
        self._process: ChildProcess | None = None

    def admin_environment(self) -> dict[str, str]:
        """Return what `facestep keycloak` reads."""
        return {"KEYCLOAK_ADMIN": self.admin_user, "KEYCLOAK_ADMIN_PASSWORD": self.admin_password}

    def launch(self) -> None:
        """Start the process. Raises StackError with one line."""
        home = prepared_home()
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(home / TABLES, self.folder / "h2", dirs_exist_ok=True)
        self._process = ChildProcess(
            [
                *_start(home, self.folder / "h2", port=self.port),
                "--spi-events-listener--facestep-erasure--retry-seconds=2",
            ],
            log=self.log,
            env={
                **JAVA,
                "KC_BOOTSTRAP_ADMIN_USERNAME": self.admin_user,
                "KC_BOOTSTRAP_ADMIN_PASSWORD": self.admin_password,
            },
            name="Keycloak",
        )

    def wait(self) -> None:
        """Return when it answers. Raises StackError."""
        if self._process is None:
            raise StackError("Keycloak was not launched")
        self._process.wait_until(lambda: answers(f"{self.url}/realms/master"), seconds=START_S)

    @property
    def running(self) -> bool:
        """True while its process lives."""
        return self._process is not None and self._process.running

    def stop(self) -> None:
        """End it; harmless when it has ended."""
        if self._process is not None:
            self._process.stop(patience_s=20)
            self._process = None

    def __enter__(self) -> Self:
        try:
            self.launch()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def prepared_home() -> Path:
    """Return an unpacked Keycloak, built with our jar; made once and kept in the cache.

    Raises:
        StackError: with the one thing to do.
    """
    if not JAR.is_file():
        raise StackError(
            "the Keycloak extension is not built; run `make keycloak_extension/target/facestep-keycloak.jar`"
        )
    _require_java()
    mark = hashlib.sha256(JAR.read_bytes() + " ".join((DIGEST, TABLES, *BUILD_OPTIONS)).encode()).hexdigest()[:16]
    home = CACHE / "keycloak" / f"{VERSION}-{mark}"
    with _locked(CACHE / "keycloak.lock"):
        if not (home / "ready").exists():
            _prepare(home)
        os.utime(home)  # in use: see _forget_old_homes
    return home


def _prepare(home: Path) -> None:
    archive = fetched_distribution()
    _forget_old_homes(home.parent, keep=home)
    print("· preparing Keycloak with the extension (about a minute, once)", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    unpacked = home.with_suffix(".unpacking")
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(archive) as source:
        source.extractall(unpacked)
    (unpacked / f"keycloak-{VERSION}").rename(home)
    unpacked.rmdir()
    shutil.copy(JAR, home / "providers")
    for script in (home / "bin").glob("*.sh"):
        script.chmod(0o755)
    _run([str(home / "bin" / "kc.sh"), "build", *BUILD_OPTIONS], "`kc.sh build` failed", JAVA)
    # Keycloak's own launch mode that makes the tables and ends before it makes the master realm, its keys and its admin
    only_tables = {**JAVA, "JAVA_OPTS_APPEND": f"{JAVA['JAVA_OPTS_APPEND']} -Dkc.launch.mode=exit_before_bootstrap"}
    _run(_start(home, home / TABLES, port=free_port()), "Keycloak could not make its tables", only_tables)
    (home / "ready").touch()


def _start(home: Path, database: Path, *, port: int) -> list[str]:
    url = f"jdbc:h2:file:{database / 'keycloak'};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE;TRACE_LEVEL_FILE=0"
    return [
        str(home / "bin" / "kc.sh"),
        "start",
        "--optimized",
        "--cache=local",
        "--http-enabled=true",
        "--http-host=127.0.0.1",
        f"--http-port={port}",
        f"--hostname=http://localhost:{port}",
        f"--db-url={url}",
    ]


def _run(argv: list[str], failed: str, env: dict[str, str]) -> None:
    done = subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(f"{failed}: {said[-1] if said else 'it said nothing'}")


def fetched_distribution() -> Path:
    """Return the archive after its digest matched; fetch it through Maven if it is not in the cache."""
    archive = CACHE / "downloads" / ARCHIVE
    if archive.is_file() and _digest(archive) == DIGEST:
        return archive
    if shutil.which("mvn") is None:
        raise StackError("Maven is needed to fetch Keycloak (Debian: apt-get install maven)")
    print("· fetching Keycloak (160 MB, once)", flush=True)
    archive.parent.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(
        [
            "mvn",
            "-q",
            "-B",
            "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
            f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip",
            f"-DoutputDirectory={archive.parent}",
            "-Dmdep.overWriteReleases=true",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode or not archive.is_file():
        raise StackError(
            "Keycloak could not be fetched through Maven; check the network, then run the same command again"
        )
    if _digest(archive) != DIGEST:
        archive.unlink()
        raise StackError(f"{ARCHIVE} is not the file that was expected (digest differs); it was thrown away")
    return archive


def _require_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise StackError("Keycloak needs Java 17 or later (Debian: apt-get install openjdk-17-jdk-headless)")


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _forget_old_homes(folder: Path, *, keep: Path, days: float = 2) -> None:
    """Remove homes of other jars that nobody has started for a while; each takes 200 MB."""
    oldest = time.time() - days * 86_400
    for other in folder.glob(f"{VERSION}-*"):
        if other != keep and other.stat().st_mtime < oldest:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time prepare."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
