"""The matcher: keeps encrypted faces, makes encrypted scores, and asks the key service what they mean.

Rules:
 * It never holds a secret key; a context that has one is refused (vault/he.py).
 * What it keeps of a person names the models and the calibration; with others nothing is compared.
 * The answer is the key service's; if that cannot be had there is no answer, never a guess.

Not here: decryption and limits (judge.py).
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import requests

from plugin.errors import LockedOut, ServiceError, public
from plugin.factors.references import models_id
from vault.he import EncryptedVector

if TYPE_CHECKING:
    from biometric.calibration import Calibration
    from biometric.types import FaceEmbeddings
    from vault.he import PublicContext

_FORMAT: Final = "facestep-encrypted-1"
_VECTORS: Final = ("facenet", "sface")
_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, repr=False)
class EncryptedFace:
    """Both vectors of a face, encrypted: a reference or a probe. FaceNet's is the one that is compared, projected.

    Attributes:
        models: the digest of the model files and the framing.
        calibration: whose thresholds and projection fit.
        facenet: encrypted.
        sface: encrypted.
    """

    models: str
    calibration: str
    facenet: EncryptedVector
    sface: EncryptedVector

    def to_bytes(self) -> bytes:
        """Return the content of a file."""
        fields = {"format": _FORMAT, "models": self.models, "calibration": self.calibration}
        vectors = {name: b64encode(getattr(self, name)).decode("ascii") for name in _VECTORS}
        return json.dumps(fields | vectors).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> EncryptedFace:
        """Return what `to_bytes` wrote. Raises ServiceError encrypted_face."""
        try:
            fields = json.loads(content)
            known = fields.pop("format") == _FORMAT
            facenet, sface = (EncryptedVector(b64decode(fields.pop(name), validate=True)) for name in _VECTORS)
            face = cls(**fields, facenet=facenet, sface=sface)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ServiceError("encrypted_face", "this is no encrypted face of ours") from exc
        if not known:
            raise ServiceError("encrypted_face", "this is an encrypted face of another version")
        return face


def encrypt_face(face: FaceEmbeddings, *, context: PublicContext, calibration: Calibration) -> EncryptedFace:
    """Return a face as a reference or a probe; done where the face is seen, by whoever has the public context."""
    return EncryptedFace(
        models=models_id(calibration),
        calibration=calibration.id,
        facenet=context.encrypt(calibration.facenet_space(face.facenet.vector)),
        sface=context.encrypt(face.sface.vector),
    )


class Matcher:
    """Compares encrypted faces through one key service."""

    def __init__(
        self,
        *,
        context: PublicContext,
        service_url: str,
        token: str,
        certificates: tuple[str, str] | None = None,
        authority: str | None = None,
    ) -> None:
        self._context = context
        self._url = service_url.rstrip("/") + "/judge"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.cert = certificates
        self._session.verify = authority or True

    def match(self, reference: EncryptedFace, probe: EncryptedFace, *, record: str) -> bool:
        """Return whether both are the same person's.

        Raises:
            ServiceError: encrypted_face, if they were made by other models; key_service_away; what the service refused.
            LockedOut: this record was asked about too often.
            CiphertextRefused: one of them is no ciphertext of this context.
        """
        if (reference.models, reference.calibration) != (probe.models, probe.calibration):
            raise ServiceError("encrypted_face", "the two were made by other models or another calibration")
        scores = {name: self._context.score(getattr(reference, name), getattr(probe, name)) for name in _VECTORS}
        asked = {name: b64encode(score).decode("ascii") for name, score in scores.items()}
        return self._ask({"record": record, "calibration": reference.calibration} | asked)

    def _ask(self, body: dict[str, str]) -> bool:
        try:
            answer = self._session.post(self._url, json=body, timeout=_TIMEOUT_S, allow_redirects=False)
            said = answer.json()
            if answer.ok and isinstance(said["match"], bool):
                return said["match"]
            code = str(said["error"])
        except requests.exceptions.SSLError as exc:
            advice = "TLS does not fit; look at --tls-cert, --tls-key and --service-ca"
            raise ServiceError("key_service_away", f"no answer from {self._url} ({advice})") from exc
        except (requests.RequestException, ValueError, KeyError, TypeError) as exc:
            raise ServiceError("key_service_away", f"no answer from {self._url} ({type(exc).__name__})") from exc
        if code in {"locked_for_now", "factor_off"}:
            wait = answer.headers.get("Retry-After")
            raise LockedOut(code, retry_after_s=int(wait) if wait else None)
        raise ServiceError(code, public(code).message)
