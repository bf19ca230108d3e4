"""A FIDO2 authenticator in software: makes real attestations ("none") and signs real assertions with ES256."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftKey:
    """Change a field to make it misbehave."""

    origin: str
    rp_id: str = "localhost"
    counter: int = 0
    step: int = 1
    user_verified: bool = True
    backup_eligible: bool = False
    cross_origin: bool | None = None
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user_handle: bytes | None = None

    def create(self, options: str) -> dict:
        """Answer navigator.credentials.create()."""
        asked = json.loads(options)
        self.user_handle = unb64(asked["user"]["id"])
        numbers = self.private.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public
        data = self._authenticator_data(AT) + attested
        return self._credential(
            {
                "clientDataJSON": b64(self._client_data("webauthn.create", asked["challenge"])),
                "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
                "transports": ["usb", "teleport"],
            }
        )

    def get(self, options: str) -> dict:
        """Answer navigator.credentials.get()."""
        self.counter += self.step
        data = self._authenticator_data(0)
        client_data = self._client_data("webauthn.get", json.loads(options)["challenge"])
        signature = self.private.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": b64(client_data),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(self.user_handle) if self.user_handle is not None else None,
            }
        )

    def _credential(self, response: dict) -> dict:
        return {
            "id": b64(self.credential_id),
            "rawId": b64(self.credential_id),
            "type": "public-key",
            "response": response,
        }

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin}
        if self.cross_origin is not None:
            data["crossOrigin"] = self.cross_origin
        return json.dumps(data).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        flags |= UP | (UV if self.user_verified else 0) | (BE | BS if self.backup_eligible else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
