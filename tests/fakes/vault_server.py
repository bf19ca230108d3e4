"""A vault that can fail at a chosen moment: the transit API over HTTP, as far as vault/transit.py uses it.

It speaks to the real TransitSealer, so that what a sealed, denying or slow vault becomes is the product's own doing.
That OpenBao answers the same way is for tests/contract/test_sealer.py and tests/vault/test_transit_faults.py to show.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from base64 import b64decode, b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX = "vault:v1:"
SEALED, DENIED, SLOW = "sealed", "denied", "slow"
REFUSALS = {SEALED: (503, "Vault is sealed"), DENIED: (403, "permission denied")}


class FakeVault:
    """Set `fault` to make it fail, and `only` to make it fail for one key; `on_call` hears of each call before it."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.only: str | None = None
        self.on_call: Callable[[str], None] = lambda _: None
        self.released = threading.Event()
        self.url = ""
        self._root = secrets.token_bytes(32)

    @contextmanager
    def running(self) -> Iterator[FakeVault]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def recovers(self) -> None:
        self.fault = self.only = None
        self.on_call = lambda _: None

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        verb, key = path.split("/")[3:5]
        self.on_call(key)
        if self.fault is not None and self.only in {None, key}:
            if self.fault == SLOW:
                self.released.wait(30)
            status, why = REFUSALS.get(self.fault, (503, "too late"))
            return status, {"errors": [why]}
        return getattr(self, f"_{verb}")(key, asked)

    def _encrypt(self, key: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        nonce = secrets.token_bytes(12)
        text = self._cipher(key, asked).encrypt(nonce, b64decode(asked["plaintext"]), _bound(asked))
        return 200, {"data": {"ciphertext": PREFIX + b64encode(nonce + text).decode()}}

    def _decrypt(self, key: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        sealed = b64decode(asked["ciphertext"].removeprefix(PREFIX))
        try:
            plain = self._cipher(key, asked).decrypt(sealed[:12], sealed[12:], _bound(asked))
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": b64encode(plain).decode()}}

    def _hmac(self, key: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        made = hmac.digest(self._root, f"hmac {key} {asked['input']}".encode(), "sha256")
        return 200, {"data": {"hmac": PREFIX + b64encode(made).decode()}}

    def _cipher(self, key: str, asked: dict[str, Any]) -> AESGCM:
        return AESGCM(hashlib.sha256(self._root + f"{key} {asked['context']}".encode()).digest())


def _bound(asked: dict[str, Any]) -> bytes:
    return b64decode(asked.get("associated_data", ""))


def _handler(vault: FakeVault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = vault.answer(self.path, asked)
            body = json.dumps(said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # who asked has given up waiting

        do_PUT = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
