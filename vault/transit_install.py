"""Set up a vault as an admin: mount, keys, policies, and where asked the AppRoles that log in with them.

Rules:
 * What is there already and right is left alone, so it can be run again at any time. A key that is there with another
   shape is an error: it is never changed, and never replaced.
 * A secret id is written into a file with mode 0600, never printed.

Not here: proof that the policies hold (transit_proof.py).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from vault.interface import VaultError
from vault.policies import Role, policy_name, policy_rules
from vault.token_file import as_token
from vault.transit_http import VaultRefused
from vault.transit_keys import key_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vault.transit_client import VaultClient

_ACTION: Final = "install"
_MISSING: Final = 404
_HOUR_S: Final = 3600
_ROLE_SHAPE: Final = {
    "token_ttl": _HOUR_S,  # renewed while the service runs; a stolen token is worth an hour
    "token_max_ttl": 24 * _HOUR_S,  # then it logs in anew
    "token_no_default_policy": True,
    "token_type": "service",
}


def install(client: VaultClient) -> list[str]:
    """Make the mount, the keys and the policies where they are missing; return what was made or mended."""
    made = []
    if f"{client.mount}/" not in client.data("GET", "sys/mounts", action=_ACTION):
        client.call("POST", f"sys/mounts/{client.mount}", {"type": "transit"}, action=_ACTION)
        made.append(f"mount {client.mount}")
    made += [f"key {name}" for name, shape in key_shapes().items() if _ensure_key(client, name, shape)]
    for role in Role:
        name, rules = policy_name(role, client.mount), policy_rules(role, client.mount)
        if _found(client, f"sys/policies/acl/{name}").get("policy") != rules:
            client.call("PUT", f"sys/policies/acl/{name}", {"policy": rules}, action=_ACTION)
            made.append(f"policy {name}")
    return made


def install_approle(client: VaultClient, role: Role, *, auth_mount: str = "approle") -> tuple[str, list[str]]:
    """Make an AppRole with the policy of `role`; return its role id, and what was made."""
    made = []
    if f"{auth_mount}/" not in client.data("GET", "sys/auth", action=_ACTION):
        client.call("POST", f"sys/auth/{auth_mount}", {"type": "approle"}, action=_ACTION)
        made.append(f"auth method {auth_mount}")
    name = policy_name(role, client.mount)
    wanted: dict[str, Any] = {**_ROLE_SHAPE, "token_policies": [name]}
    path = f"auth/{auth_mount}/role/{name}"
    found = _found(client, path)
    if any(found.get(key) != value for key, value in wanted.items()):
        client.call("POST", path, wanted, action=_ACTION)
        made.append(f"AppRole {name}")
    role_id = client.data("GET", f"{path}/role-id", action=_ACTION).get("role_id")
    return as_token(str(role_id), of="the role id that the vault answered"), made


def write_secret_id(client: VaultClient, role: Role, path: Path, *, auth_mount: str = "approle") -> None:
    """Make a new secret id of the AppRole and write it into `path`, which must not exist yet."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise VaultError(f"the secret id file {path} cannot be made: {exc.strerror}") from exc
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        name = policy_name(role, client.mount)
        try:
            answer = client.data("POST", f"auth/{auth_mount}/role/{name}/secret-id", {}, action=_ACTION, once=True)
            file.write(as_token(str(answer.get("secret_id") or ""), of="the secret id that the vault answered"))
        except VaultError:
            path.unlink()
            raise


def _ensure_key(client: VaultClient, name: str, shape: Mapping[str, object]) -> bool:
    """Make a key unless it is there; raise VaultError if it is there with another shape."""
    path = f"{client.mount}/keys/{name}"
    found = _found(client, path)
    if not found:
        client.call("POST", path, dict(shape), action=_ACTION)
        return True
    wrong = [key for key, value in shape.items() if found.get(key) != value]
    if wrong:
        raise VaultError(f"the key {name} exists with another {', '.join(wrong)}; use another mount")
    return False


def _found(client: VaultClient, path: str) -> dict[str, Any]:
    """Return what there is, or nothing."""
    try:
        return client.data("GET", path, action=_ACTION)
    except VaultRefused as exc:
        if exc.status != _MISSING:
            raise
        return {}
