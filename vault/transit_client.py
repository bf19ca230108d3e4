"""A server, a way to log in, and a mount: what everything about transit asks through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault.interface import VaultDenied, VaultError
from vault.transit_auth import FixedToken, Lease, Login
from vault.transit_http import VaultHttp, VaultServer
from vault.transit_keys import DEFAULT_MOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping


class VaultClient:
    """Asks with a token that is kept alive; safe to use from many threads."""

    def __init__(self, http: VaultHttp, login: Login, *, mount: str = DEFAULT_MOUNT) -> None:
        self.http = http
        self.lease = Lease(http, login)
        self.mount = mount

    @classmethod
    def connect(cls, server: VaultServer, login: Login, *, mount: str = DEFAULT_MOUNT) -> VaultClient:
        """Return a client; nothing is asked yet."""
        return cls(VaultHttp(server), login, mount=mount)

    def __repr__(self) -> str:
        return f"VaultClient({self.http.server.url!r}, mount={self.mount!r})"

    @property
    def url(self) -> str:
        """Return the server's address, for messages."""
        return self.http.server.url

    def with_token(self, token: str) -> VaultClient:
        """Return a client of the same server for somebody else's token."""
        return VaultClient(self.http, FixedToken(token), mount=self.mount)

    def transit(self, verb: str, key: str, body: Mapping[str, Any], *, action: str) -> dict[str, Any]:
        """Use a key of our mount; return the answer's data."""
        return self.data("POST", f"{self.mount}/{verb}/{key}", body, action=action)

    def data(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, action: str, once: bool = False
    ) -> dict[str, Any]:
        """Return the `data` of the answer. Raises VaultError when there is none."""
        found = self.call(method, path, body, action=action, once=once).get("data")
        if not isinstance(found, dict):
            raise VaultError(f"{action}: the answer of {self.url} is not understood")
        return found

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, action: str, once: bool = False
    ) -> dict[str, Any]:
        """Return the whole answer. A refused token is replaced once, if there is another."""
        token = self.lease.current()
        try:
            return self.http.call(method, path, body, token=token, action=action, once=once)
        except VaultDenied:
            other = self.lease.after_refusal(token)
            if other is None:
                raise
            return self.http.call(method, path, body, token=other, action=action, once=once)
