"""Prove by trying that a role's token may do what it needs, and nothing else.

Rules:
 * Each try is a real request to the real path that changes nothing whether it is let through or not: a ciphertext that
   is none, settings as they are, a version that cannot be. "Denied" is the vault's 403; any other answer is not.
 * What cannot be tried without doing it (making a key version, deleting a key, making a token) is asked of the vault
   with `sys/capabilities-self`, which the same rules decide.
 * Nobody answering proves nothing: it is an error, never "denied".

Not here: what the policies say (policies/), setting up (transit_install.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vault.encoding import canonical
from vault.interface import Purpose, VaultDenied, VaultError, VaultUnavailable
from vault.policies import Role, policy_name
from vault.transit_http import VaultFaulty
from vault.transit_keys import AUDIT_KEY, MAC_KEY, MAC_KEY_VERSION, key_name, mac_input, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vault.transit_client import VaultClient

_NO_CIPHERTEXT: Final = "vault:v1:AAAA"
_CONTEXT: Final = text(b"facestep:check")
_NOBODY: Final[frozenset[Role]] = frozenset()
_SERVICE, _ROTATOR, _HELPDESK = (frozenset({role}) for role in Role)
_TOKEN_S: Final = 120  # a child token that is not given back ends by itself


@dataclass(frozen=True, slots=True)
class Try:
    """One request, and who may make it."""

    what: str
    method: str
    path: str
    body: Mapping[str, Any] | None
    allowed: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one try. `right` is whether that is as it should be."""

    role: Role
    what: str
    tried: bool
    may: bool
    right: bool

    def sentence(self) -> str:
        """Return it in words."""
        how = "was let through" if self.tried else "is allowed, says the vault"
        return f"{self.role.value}: {self.what} {how if self.may else 'was denied'}"


def prove(client: VaultClient, role: Role) -> list[Finding]:
    """Return what the token of `client` may do, against what `role` should. Raises VaultUnavailable."""
    mount = client.mount
    findings = [_finding(role, each, may=_is_let_through(client, each)) for each in tries(mount)]
    return [*findings, *_asked(client, role)]


def prove_with_new_token(admin: VaultClient, role: Role) -> list[Finding]:
    """The same for a token of the role's policy alone, made for this and given back. Needs an admin's token."""
    body = {
        "policies": [policy_name(role, admin.mount)],
        "no_default_policy": True,
        "ttl": f"{_TOKEN_S}s",
        "renewable": False,
    }
    made = admin.call("POST", "auth/token/create", body, action="make a token to try", once=True)
    try:
        child = admin.with_token(str(made["auth"]["client_token"]))
    except (KeyError, TypeError) as exc:
        raise VaultError(f"make a token to try: the answer of {admin.url} is not understood") from exc
    try:
        return prove(child, role)
    finally:
        child.call("POST", "auth/token/revoke-self", {}, action="give the token back")


def tries(mount: str) -> Iterator[Try]:
    """Yield every request that is tried, for all roles the same."""
    for purpose in Purpose:
        yield from _tries_of_key(mount, key_name(purpose), rewrapped=purpose is not Purpose.CEREMONY)
    for table, allowed in (
        ("ceremonies", _SERVICE),
        ("webauthn_credentials", _SERVICE),
        ("recovery_codes", _SERVICE),
        ("face_references", _SERVICE | _ROTATOR),
        ("totp_secrets", _SERVICE | _ROTATOR),
        ("invitations", _SERVICE | _HELPDESK),
    ):
        body = _hmac(mac_input(f"row:{table}"))
        yield Try(f"make MACs of {table}", "POST", f"{mount}/hmac/{MAC_KEY}", body, allowed)
    transform = _hmac(text(canonical("derive", "transform", b"facestep:check")))
    yield Try("derive the key of a transform", "POST", f"{mount}/hmac/{MAC_KEY}", transform, _SERVICE)
    yield Try("sign a checkpoint", "POST", f"{mount}/sign/{AUDIT_KEY}", {"input": ""}, _SERVICE)
    yield Try("read the public audit key", "GET", f"{mount}/keys/{AUDIT_KEY}", None, _SERVICE | _HELPDESK)
    yield Try("export the audit key", "GET", f"{mount}/export/signing-key/{AUDIT_KEY}", None, _NOBODY)
    yield Try("export the MAC key", "GET", f"{mount}/export/hmac-key/{MAC_KEY}", None, _NOBODY)
    yield Try("read the MAC key's settings", "GET", f"{mount}/keys/{MAC_KEY}", None, _NOBODY)
    yield Try("list the keys", "LIST", f"{mount}/keys", None, _NOBODY)
    yield Try("read its policy", "GET", f"sys/policies/acl/{policy_name(Role.SERVICE, mount)}", None, _NOBODY)
    yield Try("list the mounts", "GET", "sys/mounts", None, _NOBODY)


def _tries_of_key(mount: str, key: str, *, rewrapped: bool) -> Iterator[Try]:
    sealed = {"ciphertext": _NO_CIPHERTEXT, "context": _CONTEXT}
    yield Try(f"encrypt with {key}", "POST", f"{mount}/encrypt/{key}", {"plaintext": "", "context": _CONTEXT}, _SERVICE)
    yield Try(f"decrypt with {key}", "POST", f"{mount}/decrypt/{key}", sealed, _SERVICE)
    yield Try(f"re-wrap with {key}", "POST", f"{mount}/rewrap/{key}", sealed, _ROTATOR if rewrapped else _NOBODY)
    yield Try(f"make a data key of {key}", "POST", f"{mount}/datakey/plaintext/{key}", {"context": _CONTEXT}, _NOBODY)
    yield Try(f"export {key}", "GET", f"{mount}/export/encryption-key/{key}", None, _NOBODY)
    yield Try(f"back up {key}", "GET", f"{mount}/backup/{key}", None, _NOBODY)
    yield Try(f"read the versions of {key}", "GET", f"{mount}/keys/{key}", None, _ROTATOR)
    yield Try(f"let {key} be deleted", "POST", f"{mount}/keys/{key}/config", {"deletion_allowed": False}, _NOBODY)
    yield Try(f"trim {key}", "POST", f"{mount}/keys/{key}/trim", {"min_available_version": 0}, _NOBODY)


def _hmac(asked: str) -> dict[str, Any]:
    return {"input": asked, "key_version": MAC_KEY_VERSION, "algorithm": "sha2-256"}


def _is_let_through(client: VaultClient, each: Try) -> bool:
    try:
        client.call(each.method, each.path, each.body, action=f"try to {each.what}")
    except VaultDenied:
        return False
    except VaultFaulty:
        return True  # so does OpenBao answer who may back up a key that cannot be
    except VaultUnavailable:
        raise
    except VaultError:
        return True  # it got past the policy; that the request makes no sense was said later
    return True


def _asked(client: VaultClient, role: Role) -> Iterator[Finding]:
    """Yield what only the vault itself can tell without doing it."""
    mount = client.mount
    questions = {
        **{
            f"{mount}/keys/{key_name(purpose)}/rotate": (f"make a version of {key_name(purpose)}", _ROTATOR)
            for purpose in Purpose
        },
        f"{mount}/keys/{MAC_KEY}/rotate": ("make a version of the MAC key", _NOBODY),
        f"sys/policies/acl/{policy_name(role, mount)}": ("change its own policy", _NOBODY),
        "auth/token/create": ("make tokens", _NOBODY),
        f"sys/mounts/{mount}": ("change the mount", _NOBODY),
    }
    answer = client.data("POST", "sys/capabilities-self", {"paths": list(questions)}, action="ask what it may do")
    for path, (what, allowed) in questions.items():
        capabilities = set(answer.get(path) or ())
        may = bool(capabilities - {"deny"})
        yield Finding(role, what, tried=False, may=may, right=may == (role in allowed))
        if "root" in capabilities:
            raise VaultError(f"this is a root token, which may do everything; give the {role.value} one of its own")
    deleting = [f"{mount}/keys/{key_name(purpose)}" for purpose in Purpose]
    answer = client.data("POST", "sys/capabilities-self", {"paths": deleting}, action="ask what it may do")
    for path in deleting:
        may = bool({"delete", "sudo", "root"} & set(answer.get(path) or ()))
        yield Finding(role, f"delete {path.rpartition('/')[2]}", tried=False, may=may, right=not may)


def _finding(role: Role, each: Try, *, may: bool) -> Finding:
    return Finding(role, each.what, tried=True, may=may, right=may == (role in each.allowed))
