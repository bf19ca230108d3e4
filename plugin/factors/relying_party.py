"""Our side of Web Authentication: options for the browser, proof that its answer is good. The one user of py_webauthn.

Rules:
 * User verification and a resident key are required; the library's defaults are lax, so both are always passed.
 * RP id and origin come from our own issuer setting, never from the request.
 * Whatever a parser of foreign bytes trips over ends as PasskeyInvalid, never as a fault of ours.

Not here: challenges, stored keys and sign counts (webauthn.py). Attestation: which makes of key to allow is an
enterprise policy of its own; we ask for none and trust none.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugin.settings import Settings

RP_NAME: Final = "Facestep"
_TRANSPORTS: Final = {transport.value for transport in AuthenticatorTransport}


class PasskeyInvalid(Exception):  # noqa: N818  (an outcome)
    """The answer does not prove what it must; `check` is for the audit log."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What the browser needs to recognise a key."""

    credential_id: bytes
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key whose registration was verified."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    backup_eligible: bool
    backed_up: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified use of a key. The sign count is signed, but not yet compared with the stored one."""

    sign_count: int
    backup_eligible: bool
    backed_up: bool


class RelyingParty:
    """Bound to one origin."""

    def __init__(self, settings: Settings) -> None:
        issuer = urlsplit(settings.issuer)
        self._rp_id = issuer.hostname or ""
        self._origin = f"{issuer.scheme}://{issuer.netloc}"

    def registration_json(
        self, *, challenge: bytes, user_handle: bytes, user_name: str, exclude: Iterable[KnownKey]
    ) -> str:
        """Return options for navigator.credentials.create()."""
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=RP_NAME,
            user_id=user_handle,
            user_name=user_name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[_descriptor(key) for key in exclude],
        )
        return options_to_json(options)

    def authentication_json(self, *, challenge: bytes, allow: Iterable[KnownKey]) -> str:
        """Return options for navigator.credentials.get()."""
        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge,
            allow_credentials=[_descriptor(key) for key in allow],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def check_registration(self, credential: dict[str, Any], *, expected_challenge: bytes) -> NewKey:
        """Return the new key, or raise PasskeyInvalid."""
        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=expected_challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_presence=True,
                require_user_verification=True,
            )
            transports = tuple(t for t in credential["response"].get("transports") or () if t in _TRANSPORTS)
        except Exception as exc:
            raise PasskeyInvalid("webauthn_invalid") from exc
        return NewKey(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            aaguid=verified.aaguid,
            backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            backed_up=verified.credential_backed_up,
            transports=transports,
        )

    def credential_id(self, credential: dict[str, Any]) -> bytes:
        """Return the id of the key that claims to answer, or raise PasskeyInvalid. It proves nothing yet."""
        try:
            return parse_authentication_credential_json(credential).raw_id
        except Exception as exc:
            raise PasskeyInvalid("webauthn_invalid") from exc

    def check_assertion(
        self,
        credential: dict[str, Any],
        *,
        expected_challenge: bytes,
        expected_user_handle: bytes,
        public_key: bytes,
    ) -> Assertion:
        """Return proof that the key signed our challenge, or raise PasskeyInvalid.

        1. type, challenge, origin, RP id, user present and verified, signature: the library
        2. not asked from inside a foreign page
        3. for the user we gave the handle to, if the authenticator names one

        The sign count is the caller's: the library would look at it before the signature, and "a clone of this key
        was used" is worth knowing only of a count that the key has signed.
        """
        try:
            answer = parse_authentication_credential_json(credential)
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=expected_challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )  # (1)
            foreign_page = parse_client_data_json(answer.response.client_data_json).cross_origin
        except Exception as exc:
            raise PasskeyInvalid("webauthn_invalid") from exc
        handle = answer.response.user_handle
        if foreign_page:  # (2)
            raise PasskeyInvalid("webauthn_foreign_page")
        if handle is not None and not hmac.compare_digest(handle, expected_user_handle):  # (3)
            raise PasskeyInvalid("webauthn_other_user")
        return Assertion(
            sign_count=verified.new_sign_count,
            backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            backed_up=verified.credential_backed_up,
        )


def _descriptor(key: KnownKey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=key.credential_id, transports=[AuthenticatorTransport(name) for name in key.transports] or None
    )
