"""The Facestep service as a child process, set up the way an admin would: a toml file and two commands."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.stack.errors import StackError
from tests.stack.process import ChildProcess, answers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FACESTEP = (sys.executable, "-m", "plugin.cli")
START_SECONDS = 180


class Service:
    """`facestep serve` on a loopback port with its own folder."""

    def __init__(self, folder: Path, *, port: int, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://localhost:{port}"
        self.config = folder / "facestep.toml"
        self.log = folder / "service.log"
        self._settings = settings
        self._process: ChildProcess | None = None

    def configure(self) -> None:
        """Write facestep.toml and make the database."""
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {
            "issuer": self.url,
            "database_url": f"sqlite:///{self.folder / 'facestep.db'}",
            "environment": "development",
            "listen_port": self.port,
            **self._settings,
        }
        self.config.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in values.items()), encoding="utf-8")
        self.config.chmod(0o600)
        self.command("database", "migrate")

    def command(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run `facestep ARGS` with this service's settings and return what it printed.

        Raises:
            StackError: the command failed; its own line is the message.
        """
        done = subprocess.run(
            [*FACESTEP, *args],
            env=self.environment(env),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise StackError(f"facestep {' '.join(args[:2])} failed: {words[-1] if words else done.returncode}")
        return done.stdout

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**os.environ, "FACESTEP_CONFIG": str(self.config), **(more or {})}

    def start(self) -> None:
        self._process = ChildProcess(
            [*FACESTEP, "serve"],
            log=self.log,
            env={"FACESTEP_CONFIG": str(self.config)},
            name="the Facestep service",
        )
        self._process.wait_until(lambda: answers(f"{self.url}/health/ready"), seconds=START_SECONDS)

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
