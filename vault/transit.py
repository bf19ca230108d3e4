"""Vault or OpenBao transit: keys never leave the server. The one file that speaks hvac.

Rules:
 * One derived key a purpose; the issuer and subject are the derivation context, so that every subject has a key of
   its own and a value opens for nobody else. The associated data is authenticated with it.
 * Only errors of interface.py leave. A call ends within the timeout. What the server says never contains our token.
 * The token is sent to the configured address only: no redirect is followed, no proxy or .netrc is read from the
   environment.
 * `mac` fetches one key a label, once, and hashes here; `derive` asks the server each time. Measured, and why:
   docs/adr/0002-vault-transit.md.

Not here: logging in to the vault (the token comes from a file), renewal, rotation.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import hvac
import hvac.exceptions as said
import requests

from vault import signatures
from vault.encoding import canonical
from vault.interface import (
    Ciphertext,
    Context,
    Purpose,
    Signature,
    VaultDenied,
    VaultError,
    VaultUnavailable,
    WrongContext,
    WrongMac,
    WrongSignature,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

MAC_KEY: Final = "facestep-mac"
MAC_KEY_VERSION: Final = 1  # pinned: rows and transforms made with it must fit after the key was rotated
AUDIT_KEY: Final = "facestep-audit"
POLICY: Final = "facestep-service"

_SEALED: Final = re.compile(r"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]+={0,2}")
_MAC_BYTES: Final = 32
_CHECK: Final = "facestep:check"
_KEY_SHAPE: Final = {"exportable": False, "allow_plaintext_backup": False}
_AWAY: Final = (
    said.VaultDown,  # 503: sealed, or in maintenance
    said.VaultNotInitialized,
    said.InternalServerError,
    said.BadGateway,
    said.RateLimitExceeded,
)


class TransitSealer:
    """A Sealer (interface.py) on a Vault or OpenBao server."""

    def __init__(self, url: str, token: str, *, mount: str = "transit", timeout_s: float = 3.0) -> None:
        if not token:
            raise VaultDenied("there is no vault token")
        session = requests.Session()
        session.trust_env = False
        self._client = hvac.Client(url=url, token=token, timeout=timeout_s, session=session, allow_redirects=False)
        self._url = url
        self._mount = mount
        self._label_keys: dict[str, bytes] = {}
        self._public_keys: dict[int, bytes] = {}
        self._proven: set[Purpose] = set()

    def __repr__(self) -> str:
        return f"TransitSealer({self._url!r}, mount={self._mount!r})"

    def seal(self, plaintext: bytes, *, context: Context, associated_data: bytes) -> Ciphertext:
        """Encrypt for exactly this context and associated data."""
        with self._errors("seal"):
            answer = self._transit.encrypt_data(
                name=_key_name(context.purpose),
                plaintext=_text(plaintext),
                context=_derivation(context),
                associated_data=_text(associated_data),
                mount_point=self._mount,
            )
            return Ciphertext(str(answer["data"]["ciphertext"]))

    def open(self, sealed: Ciphertext, *, context: Context, associated_data: bytes) -> bytes:
        """Decrypt, or raise WrongContext."""
        if _SEALED.fullmatch(sealed) is None:  # the server would overlook line breaks and the like
            raise WrongContext("the sealed value was not made by transit, or was changed")
        with self._errors("open"):
            try:
                answer = self._transit.decrypt_data(
                    name=_key_name(context.purpose),
                    ciphertext=sealed,
                    context=_derivation(context),
                    associated_data=_text(associated_data),
                    mount_point=self._mount,
                )
            except said.InvalidRequest as exc:
                if "key not found" in str(exc):
                    raise
                raise WrongContext("the sealed value is not for this context, or was changed") from exc
            return b64decode(answer["data"]["plaintext"], validate=True)

    def mac(self, message: bytes, *, label: str) -> bytes:
        """Return HMAC-SHA-256 of the message under the key of this label. Labels are few and fixed: keys are kept."""
        key = self._label_keys.get(label)
        if key is None:
            key = self._label_keys[label] = self._hmac(canonical("mac", label))
        return hmac.digest(key, message, "sha256")

    def verify_mac(self, message: bytes, mac: bytes, *, label: str) -> None:
        """Raise WrongMac unless `mac` is ours."""
        if not hmac.compare_digest(self.mac(message, label=label), mac):
            raise WrongMac(f"the {label} MAC does not fit")

    def derive(self, message: bytes, *, label: str) -> bytes:
        """Return 32 bytes of key, worked out by the server for this message and label."""
        return self._hmac(canonical("derive", label, message))

    def sign(self, message: bytes, *, label: str) -> Signature:
        """Return an Ed25519 signature over `message`; `label` separates uses."""
        with self._errors("sign"):
            answer = self._transit.sign_data(
                name=AUDIT_KEY,
                hash_input=_text(signatures.signed_bytes(message, label=label)),
                mount_point=self._mount,
            )
            signature = Signature(str(answer["data"]["signature"]))
        try:
            self.verify_signature(message, signature, label=label)
        except WrongSignature as exc:
            raise VaultError(f"sign: {self._url} answered no signature of {AUDIT_KEY}") from exc
        return signature

    def verify_signature(self, message: bytes, signature: Signature, *, label: str) -> None:
        """Raise WrongSignature unless `signature` is ours. The server is asked for its public keys once a version."""
        if signatures.version_of(signature) not in self._public_keys:
            self._public_keys = dict(self.public_keys())
        signatures.verify(self._public_keys, message, signature, label=label)

    def public_keys(self) -> Mapping[int, bytes]:
        """Return the public key of each version, as the server says now."""
        with self._errors("public keys"):
            versions = self._transit.read_key(AUDIT_KEY, mount_point=self._mount)["data"]["keys"]
            return {int(version): b64decode(key["public_key"], validate=True) for version, key in versions.items()}

    def check(self, purposes: Collection[Purpose] = tuple(Purpose)) -> None:
        """Raise VaultError unless every one of `purposes` can be sealed and opened now, and MACs be made."""
        for purpose in purposes:
            context = Context(_CHECK, _CHECK, purpose)
            sealed = self.seal(_CHECK.encode(), context=context, associated_data=b"")
            if self.open(sealed, context=context, associated_data=b"") != _CHECK.encode():
                raise VaultError(f"{self._url} did not give back what was sealed")
            if purpose not in self._proven:
                self._prove_binding(sealed, context=context)
                self._proven.add(purpose)
        self.derive(b"", label=_CHECK)

    def install(self) -> list[str]:
        """Make the mount, the keys and the service's policy where they are missing; return what was made.

        Needs a token that may do so, which the service's own must not. An existing key of another shape is an error.
        """
        made = []
        with self._errors("install"):
            if f"{self._mount}/" not in self._client.sys.list_mounted_secrets_engines()["data"]:
                self._client.sys.enable_secrets_engine("transit", path=self._mount)
                made.append(f"mount {self._mount}")
            for name, derived in {**{_key_name(purpose): True for purpose in Purpose}, MAC_KEY: False}.items():
                if self._ensure_key(name, derived=derived):
                    made.append(f"key {name}")
            if self._ensure_key(AUDIT_KEY, derived=False, kind="ed25519"):
                made.append(f"key {AUDIT_KEY}")
            policy = service_policy(self._mount)
            if self._read_policy() != policy:
                self._client.sys.create_or_update_acl_policy(POLICY, policy)
                made.append(f"policy {POLICY}")
        return made

    def _prove_binding(self, sealed: Ciphertext, *, context: Context) -> None:
        """Raise VaultError if the server opens for others: an old one ignores associated data."""
        other = replace(context, subject=f"{_CHECK}:other")
        for wrong_context, wrong_data in ((other, b""), (context, b"other")):
            try:
                self.open(sealed, context=wrong_context, associated_data=wrong_data)
            except WrongContext:
                continue
            raise VaultError(f"{self._url} does not bind what it seals; it needs derived keys and associated data")

    @property
    def _transit(self) -> Any:
        return self._client.secrets.transit

    def _hmac(self, message: bytes) -> bytes:
        with self._errors("mac"):
            answer = self._transit.generate_hmac(
                name=MAC_KEY,
                hash_input=_text(message),
                key_version=MAC_KEY_VERSION,
                algorithm="sha2-256",
                mount_point=self._mount,
            )
            made = b64decode(answer["data"]["hmac"].removeprefix(f"vault:v{MAC_KEY_VERSION}:"), validate=True)
        if len(made) != _MAC_BYTES:
            raise VaultError(f"{self._url} answered a MAC of {len(made)} bytes")
        return made

    def _ensure_key(self, name: str, *, derived: bool, kind: str = "aes256-gcm96") -> bool:
        """Make a key unless it is there; raise VaultError if it is there with another shape."""
        wanted = {**_KEY_SHAPE, "type": kind, "derived": derived}
        try:
            found = self._transit.read_key(name, mount_point=self._mount)["data"]
        except said.InvalidPath:
            arguments = {("key_type" if key == "type" else key): value for key, value in wanted.items()}
            self._transit.create_key(name, mount_point=self._mount, **arguments)
            return True
        wrong = [key for key, value in wanted.items() if found[key] != value]
        if wrong:
            raise VaultError(f"the key {name} exists with another {', '.join(wrong)}; use another mount")
        return False

    def _read_policy(self) -> str | None:
        try:
            return str(self._client.sys.read_acl_policy(POLICY)["data"]["policy"])
        except said.InvalidPath:
            return None

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except requests.exceptions.RequestException as exc:
            raise VaultUnavailable(f"{action}: no answer from {self._url} ({type(exc).__name__})") from exc
        except (said.Forbidden, said.Unauthorized) as exc:
            raise VaultDenied(f"{action}: {self._url} refused the token") from exc
        except _AWAY as exc:
            raise VaultUnavailable(f"{action}: {self._url} cannot serve now ({type(exc).__name__})") from exc
        except said.VaultError as exc:
            advice = "run `facestep vault install`"
            raise VaultError(f"{action}: {self._url} is not set up for us ({exc.args[0]}); {advice}") from exc
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise VaultError(f"{action}: the answer of {self._url} is not understood") from exc


def service_policy(mount: str) -> str:
    """Return the policy of the service's token: use our keys, and nothing else; it can make or read none."""
    paths = [f"{mount}/{verb}/{_key_name(purpose)}" for purpose in Purpose for verb in ("encrypt", "decrypt")]
    paths += [f"{mount}/hmac/{MAC_KEY}", f"{mount}/sign/{AUDIT_KEY}"]
    updates = [f'path "{path}" {{\n  capabilities = ["update"]\n}}\n' for path in paths]
    public = f'path "{mount}/keys/{AUDIT_KEY}" {{\n  capabilities = ["read"]\n}}\n'  # gives public keys only
    return "".join([*updates, public])


def _key_name(purpose: Purpose) -> str:
    return f"facestep-{purpose.value}"


def _derivation(context: Context) -> str:
    return _text(canonical(context.issuer, context.subject))


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
