"""What an enrolment needs besides the factors: consent before the camera, keeping what one has, and erasure.

Rules:
 * No camera without consent to exactly the text that was shown, in this very enrolment (GDPR 9, BIPA 15). Its row
   carries a MAC: who can write to the database cannot consent in somebody's name.
 * Who came in with a possession factor may keep the TOTP secret and passkeys that are there.
 * Erasure takes everything of the subject away at once, ends what is under way, and says so in the audit log. Consents
   stay, marked as withdrawn: they are the proof that earlier processing was allowed (audit/erasure.py).

What erasure cannot do: destroy a key. Keys are derived from the subject and exist only inside the sealer; what is gone
is the sealed value. Backups of the database hold it until they are overwritten (docs/operations.md).

Not here: the text (templates/), the face (face.py).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from plugin.audit.erasure import erase_subject
from plugin.ceremonies.stages import stage_after
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import Consent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView, Subject
    from plugin.store.database import Database
    from vault.interface import Sealer

CONSENT_TEXT_VERSION: Final = "2026-3"
"""Change it together with templates/, whenever the meaning of the text changes."""


class Enrolment:
    """Consent, keeping, erasure."""

    def __init__(self, *, ceremonies: Ceremonies, database: Database, sealer: Sealer, audit: AuditSink) -> None:
        self._ceremonies = ceremonies
        self._database = database
        self._sealer = sealer
        self._audit = audit

    def give_consent(self, view: CeremonyView, *, text_version: str, now: datetime) -> CeremonyView:
        """Record that the person agreed to the text of this version, and move on.

        Raises:
            FactorRejected: "consent_missing" when the text has changed since the page was shown.
        """
        if view.stage is not Stage.CONSENT:
            raise CeremonyRefused("ceremony_refused", f"not_at_{view.stage}")
        if text_version != CONSENT_TEXT_VERSION:
            raise FactorRejected("consent_missing", "other_text_version")
        row = Consent(
            id=secrets.token_urlsafe(32),
            issuer=view.issuer,
            subject=view.subject,
            text_version=text_version,
            locale=view.locale,
            given_ms=to_ms(now),
            withdrawn_ms=None,
        )
        sign(row, sealer=self._sealer)

        def within(session: Session) -> None:
            session.add(row)
            self._audit.append(
                "consent_given",
                at=now,
                issuer=view.issuer,
                subject=view.subject,
                ceremony_id=view.id,
                details={"consent_id": row.id, "text_version": text_version, "locale": view.locale},
                session=session,
            )

        return self._move_on(view, now=now, within=within)

    def keep_possession(self, view: CeremonyView, *, now: datetime) -> CeremonyView:
        """Go on with the TOTP secret and passkeys that are there, in a re-enrolment that began with possession.

        Raises:
            CeremonyRefused: "possession_first" if possession was not proven, or there is nothing to keep.
        """
        if view.stage is not Stage.POSSESSION_SETUP:
            raise CeremonyRefused("ceremony_refused", f"not_at_{view.stage}")
        if view.purpose is not Purpose.ENROL or not view.amr or not self._ceremonies.has_possession(view.owner):
            raise CeremonyRefused("possession_first", "nothing_to_keep")
        return self._move_on(view, now=now, within=lambda _session: None)

    def erase(self, owner: Subject, *, now: datetime) -> bool:
        """Erase everything of this subject; return whether there was anything. Safe to repeat."""
        with self._database.transaction() as session:
            return erase_subject(
                session, audit=self._audit, issuer=owner.issuer, subject=owner.subject, now=now
            ).anything

    def _move_on(self, view: CeremonyView, *, now: datetime, within: Callable[[Session], None]) -> CeremonyView:
        return self._ceremonies.advance(view, to=stage_after(view.purpose, view.stage), now=now, within=within)


def find_consent(view: CeremonyView, *, database: Database) -> Consent:
    """Return the row of the consent given in this enrolment, not yet believed.

    Raises:
        FactorRejected: "consent_missing".
    """
    query = (
        select(Consent)
        .filter_by(issuer=view.issuer, subject=view.subject, withdrawn_ms=None, text_version=CONSENT_TEXT_VERSION)
        .where(Consent.given_ms >= to_ms(view.created_at))
        .order_by(Consent.given_ms.desc())
    )
    with database.reading() as session:
        found = session.scalar(query.limit(1))
    if found is None:
        raise FactorRejected("consent_missing", "no_consent_in_this_enrolment")
    return found
