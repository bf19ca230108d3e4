"""Passkeys and security keys of a subject.

Rules:
 * A challenge is drawn here, lies sealed in the ceremony, and is consumed before the answer is looked at.
 * A sign count that does not rise is refused (a clone), unless both are 0 (a passkey that does not count).
 * Backup eligibility never changes; it decides between "hwk" (bound to one device) and "swk" (may be synced).
 * The user handle is a keyed hash: it tells an authenticator's owner nothing, and the same person always gets the same.

Not here: what makes an answer good (relying_party.py).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Amr, Stage
from plugin.factors.gate import Gate, UsedMeanwhile
from plugin.factors.relying_party import KnownKey, PasskeyInvalid, RelyingParty
from plugin.store.instants import to_ms
from plugin.store.integrity import mac_of, sign
from plugin.store.tables import WebauthnCredential
from vault.encoding import canonical

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView, Subject
    from plugin.factors.relying_party import Assertion, NewKey
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer

CHALLENGE_BYTES: Final = 32  # WebAuthn L3 13.4.3 asks for at least 16
MAX_CREDENTIALS: Final = 10  # a person has a few keys; more is a script filling the table
REGISTER_PART: Final = "webauthn_register"
AUTHENTICATE_PART: Final = "webauthn_authenticate"


@dataclass(frozen=True, slots=True)
class WebauthnOptions:
    """JSON for navigator.credentials.create() or get()."""

    json: str = field(repr=False)
    view: CeremonyView


class WebauthnFactor:
    """Register and verify passkeys."""

    def __init__(
        self,
        *,
        ceremonies: Ceremonies,
        database: Database,
        sealer: Sealer,
        attempts: Attempts,
        audit: AuditSink,
        settings: Settings,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies
        self._database = database
        self._sealer = sealer
        self._attempts = attempts
        self._random_bytes = random_bytes
        self._relying_party = RelyingParty(settings)

    def registration_options(self, view: CeremonyView, *, now: datetime) -> WebauthnOptions:
        """Draw a challenge for a new key; those the person has are excluded."""
        self._gate.require(view, Stage.POSSESSION_SETUP)
        existing = self._keys(view.owner)
        if len(existing) >= MAX_CREDENTIALS:
            self._gate.refuse(view, Counted.WEBAUTHN, "webauthn_too_many_keys", now=now)
        challenge, view = self._draw(view, REGISTER_PART, now=now)
        options = self._relying_party.registration_json(
            challenge=challenge,
            user_handle=self._user_handle(view.owner),
            user_name=view.display_name or view.subject,
            exclude=existing,
        )
        return WebauthnOptions(json=options, view=view)

    def register(self, view: CeremonyView, credential: dict[str, Any], *, now: datetime) -> CeremonyView:
        """Store a key that answered our challenge, and move on.

        1. at the set-up stage      3. the answer is good (relying_party.py)
        2. challenge consumed       4. nobody has this key already
        """
        self._gate.require(view, Stage.POSSESSION_SETUP)  # (1)
        challenge, view = self._consume(view, REGISTER_PART, now=now)  # (2)
        try:
            key = self._relying_party.check_registration(credential, expected_challenge=challenge)  # (3)
        except PasskeyInvalid as exc:
            self._gate.refuse(view, Counted.WEBAUTHN, exc.check, now=now)
        row = self._new_row(view.owner, key, now=now)

        def within(session: Session) -> None:
            session.add(row)
            try:
                session.flush()
            except IntegrityError as exc:  # (4)
                raise UsedMeanwhile("webauthn_known_key") from exc
            self._attempts.reset(view.owner, [Counted.WEBAUTHN], session=session)

        return self._gate.accept(
            view,
            Counted.WEBAUTHN,
            now=now,
            proven=_method(key.backup_eligible).value,
            within=within,
            event="factor_added",
            details={"credential_id": row.id, "backed_up": key.backed_up},
        )

    def authentication_options(self, view: CeremonyView, *, now: datetime) -> WebauthnOptions:
        """Draw a challenge that this subject's keys may answer."""
        self._gate.require(view, Stage.POSSESSION)
        challenge, view = self._draw(view, AUTHENTICATE_PART, now=now)
        options = self._relying_party.authentication_json(challenge=challenge, allow=self._keys(view.owner))
        return WebauthnOptions(json=options, view=view)

    def authenticate(self, view: CeremonyView, credential: dict[str, Any], *, now: datetime) -> CeremonyView:
        """Accept an answer of a key of this very subject, and move on.

        1. at the possession stage; the attempt is counted
        2. challenge consumed before the answer is looked at
        3. the key is enrolled for this subject, and its row is as we wrote it
        4. the answer is good (relying_party.py)
        5. backup eligibility is what it was at registration
        6. the sign count rises, or both are 0
        7. nobody used the key between our reading and our writing
        """
        self._gate.require(view, Stage.POSSESSION)  # (1)
        self._gate.take(view, Counted.WEBAUTHN, now=now)
        challenge, view = self._consume(view, AUTHENTICATE_PART, now=now)  # (2)
        try:
            row, used = self._check(view, credential, challenge, now=now)  # (3) (4) (5) (6)
        except PasskeyInvalid as exc:
            self._gate.refuse(view, Counted.WEBAUTHN, exc.check, now=now)
        changes: dict[str, Any] = {
            "sign_count": used.sign_count,
            "backed_up": used.backed_up,
            "last_used_ms": to_ms(now),
        }
        changes["mac"] = mac_of(row, sealer=self._sealer, changed=changes)
        unraced = (WebauthnCredential.id == row.id, WebauthnCredential.mac == row.mac)

        def within(session: Session) -> None:
            done = session.execute(update(WebauthnCredential).where(*unraced).values(**changes))
            if done.rowcount != 1:  # type: ignore[attr-defined]  # (7)
                raise UsedMeanwhile("webauthn_raced")

        return self._gate.accept(
            view,
            Counted.WEBAUTHN,
            now=now,
            proven=_method(row.backup_eligible).value,
            within=within,
            details={"credential_id": row.id, "sign_count": used.sign_count},
        )

    def _check(
        self, view: CeremonyView, credential: dict[str, Any], challenge: bytes, *, now: datetime
    ) -> tuple[WebauthnCredential, Assertion]:
        row = self._find(view.owner, self._relying_party.credential_id(credential))  # (3)
        self._gate.believe(row, view, now=now)
        used = self._relying_party.check_assertion(
            credential,
            expected_challenge=challenge,
            expected_user_handle=self._user_handle(view.owner),
            public_key=row.public_key,
        )  # (4)
        if used.backup_eligible is not row.backup_eligible:  # (5)
            raise PasskeyInvalid("webauthn_backup_changed")
        if used.sign_count <= row.sign_count and (used.sign_count, row.sign_count) != (0, 0):  # (6)
            raise PasskeyInvalid("webauthn_sign_count")
        return row, used

    def _draw(self, view: CeremonyView, part: str, *, now: datetime) -> tuple[bytes, CeremonyView]:
        challenge = self._random_bytes(CHALLENGE_BYTES)
        scratch = self._ceremonies.scratch(view).with_part(part, challenge)
        return challenge, self._ceremonies.save_scratch(view, scratch, now=now)

    def _consume(self, view: CeremonyView, part: str, *, now: datetime) -> tuple[bytes, CeremonyView]:
        """Take the challenge out of the ceremony, whatever comes of it; of two answers to one, one is refused."""
        scratch = self._ceremonies.scratch(view)
        challenge = scratch.get(part)
        if challenge is None:
            self._gate.refuse(view, Counted.WEBAUTHN, "webauthn_no_challenge", now=now)
        return challenge, self._ceremonies.save_scratch(view, scratch.without(part), now=now)

    def _keys(self, owner: Subject) -> list[KnownKey]:
        with self._database.reading() as session:
            rows = session.scalars(
                select(WebauthnCredential)
                .where(WebauthnCredential.issuer == owner.issuer, WebauthnCredential.subject == owner.subject)
                .order_by(WebauthnCredential.created_ms)
            )
            return [KnownKey(row.credential_id, tuple(row.transports)) for row in rows]

    def _find(self, owner: Subject, credential_id: bytes) -> WebauthnCredential:
        with self._database.reading() as session:
            row = session.scalar(
                select(WebauthnCredential).where(
                    WebauthnCredential.issuer == owner.issuer,
                    WebauthnCredential.subject == owner.subject,
                    WebauthnCredential.credential_id == credential_id,
                )
            )
        if row is None:
            raise PasskeyInvalid("webauthn_unknown_key")
        return row

    def _user_handle(self, owner: Subject) -> bytes:
        return self._sealer.mac(canonical(owner.issuer, owner.subject), label="webauthn-user-handle")

    def _new_row(self, owner: Subject, key: NewKey, *, now: datetime) -> WebauthnCredential:
        row = WebauthnCredential(
            id=secrets.token_urlsafe(32),
            issuer=owner.issuer,
            subject=owner.subject,
            credential_id=key.credential_id,
            public_key=key.public_key,
            sign_count=key.sign_count,
            transports=list(key.transports),
            aaguid=key.aaguid,
            backup_eligible=key.backup_eligible,
            backed_up=key.backed_up,
            created_ms=to_ms(now),
            last_used_ms=None,
        )
        sign(row, sealer=self._sealer)
        return row


def _method(backup_eligible: bool) -> Amr:  # noqa: FBT001  (a column of the key, not a switch)
    return Amr.SWK if backup_eligible else Amr.HWK
