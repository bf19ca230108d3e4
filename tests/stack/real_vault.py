"""A real vault for tests: one OpenBao that we start, or any Vault or OpenBao that the environment names.

    FACESTEP_TEST_VAULT_ADDR=https://vault.example:8200 FACESTEP_TEST_VAULT_TOKEN=… pytest tests/contract tests/vault

The named one is used with that token, which must be allowed to make mounts, policies, auth methods and tokens. Every
user of either gets a mount of its own with a random name, and takes away what it made; nothing else there is touched.
FACESTEP_TEST_VAULT_NAMESPACE names a namespace, FACESTEP_TEST_VAULT_CA a file of certificates.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.stack.openbao import OpenBao
from vault.policies import Role, policy_name
from vault.transit import TransitSealer
from vault.transit_auth import FixedToken
from vault.transit_client import VaultClient
from vault.transit_http import VaultServer
from vault.transit_rotator import TransitRotator

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "FACESTEP_TEST_VAULT_ADDR"


@dataclass(repr=False)
class RealVault:
    """A server, a mount there that is ours alone, and its admin's token."""

    server: VaultServer
    root_token: str
    mount: str
    policies: set[str] = field(default_factory=set)

    @property
    def admin(self) -> VaultClient:
        return self.client(self.root_token)

    def client(self, token: str) -> VaultClient:
        return VaultClient.connect(self.server, FixedToken(token), mount=self.mount)

    def client_as(self, role: Role) -> VaultClient:
        return self.client(self.token_for(policy_name(role, self.mount)))

    def sealer(self, role: Role = Role.SERVICE) -> TransitSealer:
        """Return a sealer with a token that has the policy of `role` and no other."""
        return TransitSealer.on(self.client_as(role))

    def rotator(self) -> TransitRotator:
        return TransitRotator(self.client_as(Role.ROTATOR))

    def token_for(self, *policies: str, **more: Any) -> str:
        body = {"policies": list(policies), "no_default_policy": True, **more}
        return str(self.call("POST", "auth/token/create", body)["auth"]["client_token"])

    def write_policy(self, name: str, rules: str) -> None:
        self.policies.add(name)
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask as the admin."""
        return self.admin.call(method, path, body, action="test")

    def remove(self) -> None:
        """Take away what installing and tests made."""
        self.call("DELETE", f"sys/mounts/{self.mount}")
        for name in {policy_name(role, self.mount) for role in Role} | self.policies:
            self.call("DELETE", f"sys/policies/acl/{name}")


@dataclass(frozen=True, repr=False)
class Place:
    """A server and its admin's token."""

    server: VaultServer
    root_token: str


@contextmanager
def vault_place(folder: Path) -> Iterator[Place]:
    """Yield the vault that the environment names, else an OpenBao that runs until the block ends."""
    address = os.environ.get(ADDRESS)
    if address is None:
        with OpenBao.start(folder) as bao:
            yield Place(VaultServer(bao.url), bao.root_token)
        return
    ca_file = os.environ.get("FACESTEP_TEST_VAULT_CA")
    server = VaultServer(
        address,
        namespace=os.environ.get("FACESTEP_TEST_VAULT_NAMESPACE", ""),
        ca_file=Path(ca_file) if ca_file else None,
    )
    yield Place(server, os.environ["FACESTEP_TEST_VAULT_TOKEN"])


@contextmanager
def real_vault(place: Place, *, installed: bool = True) -> Iterator[RealVault]:
    """Yield a mount there that is set up as `facestep vault install` does it, unless that is the test's own work."""
    found = RealVault(place.server, place.root_token, mount=f"facestep-test/{secrets.token_hex(4)}")
    try:
        if installed:
            TransitSealer.on(found.admin).install()
        yield found
    finally:
        found.remove()
