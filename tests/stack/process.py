"""Start one server as a child, wait until it answers, end it by its process id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from random import SystemRandom
from typing import TYPE_CHECKING, Final

import requests

from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


_PORTS: Final = range(10_240, 32_000)
_PORT_TRIES: Final = 50


def free_port(*, wide: int = 1) -> int:
    """Return the first of `wide` neighbouring loopback ports that nobody listens on at this moment.

    Drawn from below the ports that systems hand out by themselves (from 32768 on Linux, 49152 by RFC 6335): one of
    those may become the near end of any outgoing connection between here and the start, or restart, of the server.
    """
    drawn = SystemRandom().sample(_PORTS, k=_PORT_TRIES)
    found = next((port for port in drawn if all(is_free(port + step) for step in range(wide))), None)
    if found is None:
        raise StackError("no free port was found on 127.0.0.1")
    return found


def is_free(port: int) -> bool:
    """Tell whether `port` can be bound on 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def require_free(port: int, *, what: str, setting: str) -> None:
    """Raise StackError when `port` is taken; `setting` is how to choose another."""
    if not is_free(port):
        raise StackError(f"port {port} for {what} is taken; choose another with {setting}=PORT")


class ChildProcess:
    """A server of ours: its own process group, output in a file, ended by id and never by name."""

    def __init__(self, argv: Sequence[str], *, log: Path, env: Mapping[str, str], name: str) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(argv),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **env},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Poll `ready` until it is true. Raises StackError when the process ends first or time runs out."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running:
                raise StackError(f"{self.name} ended while starting: {self.last_words()} (log: {self.log})")
            if ready():
                return
            time.sleep(0.1)
        self.stop()
        raise StackError(f"{self.name} did not answer within {seconds:.0f} s: {self.last_words()} (log: {self.log})")

    def last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it said nothing"

    def stop(self, *, patience_s: float = 10) -> None:
        """End the process and its children; a second call does nothing."""
        if not self.running:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=patience_s)


def end_cleanly_when_told() -> None:
    """Turn SIGTERM, SIGHUP and SIGINT into KeyboardInterrupt, so that `with` blocks end the servers they started.

    SIGINT too: a shell starts background jobs with it ignored. SIGHUP: the terminal was closed.
    """
    for told in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(told, signal.default_int_handler)


def answers(url: str) -> bool:
    """True when `url` answers 200 now."""
    try:
        return requests.get(url, timeout=2).status_code == requests.codes.ok
    except requests.RequestException:
        return False
