"""Vault or OpenBao transit: keys never leave the server.

Rules:
 * One derived key a purpose; issuer, subject and associated data are the derivation context (transit_keys.py).
 * Only errors of interface.py leave. A call ends within the timeout. What the server says never contains our token.
 * `mac` fetches one key a label, once, and hashes here; `derive` asks the server each time. Measured, and why:
   docs/adr/0002-vault-transit.md.

    TransitSealer(url, token)                                      a token that somebody holds
    TransitSealer.on(VaultClient.connect(server, login))           a login that is kept alive

Not here: HTTP and its errors (transit_http.py), logging in (transit_auth.py), setting up (transit_install.py),
rotation (transit_rotator.py).
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from vault import signatures
from vault.encoding import canonical
from vault.interface import (
    Ciphertext,
    Context,
    Purpose,
    Signature,
    ToOpen,
    ToSeal,
    VaultDenied,
    VaultError,
    WrongContext,
    WrongMac,
    WrongSignature,
)
from vault.policies import Role, policy_name
from vault.transit_auth import FixedToken
from vault.transit_batch import ask_many, asked_to_open, asked_to_seal, batches, ciphertext_of, not_opened
from vault.transit_client import VaultClient
from vault.transit_http import VaultRefused, VaultServer
from vault.transit_install import install
from vault.transit_keys import AUDIT_KEY, DEFAULT_MOUNT, MAC_KEY, MAC_KEY_VERSION, key_name, mac_input, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

POLICY: Final = policy_name(Role.SERVICE)

_MAC_BYTES: Final = 32
_CHECK: Final = "facestep:check"
_BAD_REQUEST: Final = 400


class TransitSealer:
    """A Sealer and AuditSigner (interface.py) on a Vault or OpenBao server."""

    def __init__(self, url: str, token: str, *, mount: str = DEFAULT_MOUNT, timeout_s: float = 3.0) -> None:
        if not token:
            raise VaultDenied("there is no vault token")
        self._take(VaultClient.connect(VaultServer(url, timeout_s), FixedToken(token), mount=mount))

    @classmethod
    def on(cls, client: VaultClient) -> Self:
        """Return a sealer that asks through `client`."""
        sealer = cls.__new__(cls)
        sealer._take(client)  # noqa: SLF001  (of our own class)
        return sealer

    def _take(self, client: VaultClient) -> None:
        self.client = client
        self._label_keys: dict[str, bytes] = {}
        self._public_keys: dict[int, bytes] = {}
        self._proven: set[Purpose] = set()

    def __repr__(self) -> str:
        return f"TransitSealer({self.client.url!r}, mount={self.client.mount!r})"

    def seal(self, plaintext: bytes, *, context: Context, associated_data: bytes) -> Ciphertext:
        """Encrypt for exactly this context and associated data."""
        asked = asked_to_seal(ToSeal(plaintext, context, associated_data))
        answer = self.client.transit("encrypt", key_name(context.purpose), asked, action="seal")
        return ciphertext_of(answer, url=self.client.url)

    def open(self, sealed: Ciphertext, *, context: Context, associated_data: bytes) -> bytes:
        """Decrypt, or raise WrongContext."""
        asked = asked_to_open(ToOpen(sealed, context, associated_data))
        try:
            answer = self.client.transit("decrypt", key_name(context.purpose), asked, action="open")
        except VaultRefused as exc:
            if exc.status != _BAD_REQUEST or "key not found" in exc.reason:
                raise
            raise not_opened(exc.reason) from exc
        return self._plaintext(answer)

    def seal_many(self, items: Sequence[ToSeal]) -> list[Ciphertext]:
        """Encrypt many values, some hundreds in a call."""
        made: dict[int, Ciphertext] = {}
        for purpose, places in batches(items):
            answers = ask_many(self.client, "encrypt", purpose, [asked_to_seal(items[place]) for place in places])
            for place, answer in zip(places, answers, strict=True):
                made[place] = ciphertext_of(answer, url=self.client.url)
        return [made[place] for place in range(len(items))]

    def open_many(self, items: Sequence[ToOpen]) -> list[bytes]:
        """Decrypt many values, some hundreds in a call; all or none."""
        made: dict[int, bytes] = {}
        for purpose, places in batches(items):
            answers = ask_many(self.client, "decrypt", purpose, [asked_to_open(items[place]) for place in places])
            for place, answer in zip(places, answers, strict=True):
                if answer.get("error"):
                    raise not_opened(str(answer["error"]))
                made[place] = self._plaintext(answer)
        return [made[place] for place in range(len(items))]

    def mac(self, message: bytes, *, label: str) -> bytes:
        """Return HMAC-SHA-256 of the message under the key of this label. Labels are few and fixed: keys are kept."""
        key = self._label_keys.get(label)
        if key is None:
            key = self._label_keys[label] = self._hmac(mac_input(label))
        return hmac.digest(key, message, "sha256")

    def verify_mac(self, message: bytes, mac: bytes, *, label: str) -> None:
        """Raise WrongMac unless `mac` is ours."""
        if not hmac.compare_digest(self.mac(message, label=label), mac):
            raise WrongMac(f"the {label} MAC does not fit")

    def derive(self, message: bytes, *, label: str) -> bytes:
        """Return 32 bytes of key, worked out by the server for this message and label."""
        return self._hmac(text(canonical("derive", label, message)))

    def sign(self, message: bytes, *, label: str) -> Signature:
        """Return an Ed25519 signature over `message`; `label` separates uses."""
        asked = {"input": text(signatures.signed_bytes(message, label=label))}
        signature = Signature(str(self.client.transit("sign", AUDIT_KEY, asked, action="sign").get("signature")))
        try:
            self.verify_signature(message, signature, label=label)
        except WrongSignature as exc:
            raise VaultError(f"sign: {self.client.url} answered no signature of {AUDIT_KEY}") from exc
        return signature

    def verify_signature(self, message: bytes, signature: Signature, *, label: str) -> None:
        """Raise WrongSignature unless `signature` is ours. The server is asked for its public keys once a version."""
        if signatures.version_of(signature) not in self._public_keys:
            self._public_keys = dict(self.public_keys())
        signatures.verify(self._public_keys, message, signature, label=label)

    def public_keys(self) -> Mapping[int, bytes]:
        """Return the public key of each version, as the server says now."""
        found = self.client.data("GET", f"{self.client.mount}/keys/{AUDIT_KEY}", action="public keys")
        try:
            return {int(number): b64decode(key["public_key"], validate=True) for number, key in found["keys"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise self._not_understood("public keys") from exc

    def check(self, purposes: Collection[Purpose] = tuple(Purpose)) -> None:
        """Raise VaultError unless every one of `purposes` can be sealed and opened now, and MACs be made."""
        for purpose in purposes:
            context = Context(_CHECK, _CHECK, purpose)
            sealed = self.seal(_CHECK.encode(), context=context, associated_data=b"")
            if self.open(sealed, context=context, associated_data=b"") != _CHECK.encode():
                raise VaultError(f"{self.client.url} did not give back what was sealed")
            if purpose not in self._proven:
                self._prove_binding(sealed, context=context)
                self._proven.add(purpose)
        self.derive(b"", label=_CHECK)

    def install(self) -> list[str]:
        """Make mount, keys and policies where they are missing (transit_install.py). Needs an admin's token."""
        return install(self.client)

    def _prove_binding(self, sealed: Ciphertext, *, context: Context) -> None:
        """Raise VaultError if the server opens for others: a key that is not derived ignores the context."""
        other = replace(context, subject=f"{_CHECK}:other")
        for wrong_context, wrong_data in ((other, b""), (context, b"other")):
            try:
                self.open(sealed, context=wrong_context, associated_data=wrong_data)
            except WrongContext:
                continue
            raise VaultError(f"{self.client.url} does not bind what it seals; it needs derived keys")

    def _hmac(self, asked: str) -> bytes:
        body = {"input": asked, "key_version": MAC_KEY_VERSION, "algorithm": "sha2-256"}
        answer = self.client.transit("hmac", MAC_KEY, body, action="mac")
        try:
            made = b64decode(answer["hmac"].removeprefix(f"vault:v{MAC_KEY_VERSION}:"), validate=True)
        except (KeyError, ValueError, AttributeError) as exc:
            raise self._not_understood("mac") from exc
        if len(made) != _MAC_BYTES:
            raise VaultError(f"{self.client.url} answered a MAC of {len(made)} bytes")
        return made

    def _plaintext(self, answer: Mapping[str, Any]) -> bytes:
        try:
            return b64decode(answer["plaintext"], validate=True)
        except (KeyError, TypeError, ValueError) as exc:
            raise self._not_understood("open") from exc

    def _not_understood(self, action: str) -> VaultError:
        return VaultError(f"{action}: the answer of {self.client.url} is not understood")
