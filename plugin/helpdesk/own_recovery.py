"""A changed face is enrolled anew by the person alone, with what they have and a code from their mailbox.

Rules:
 * Offered where letters can be sent. Proofs and order are stages.py's: possession, mailed code, consent, face.
 * Not for staff of the helpdesk, nor for people of a group that the policy names: for them somebody must vouch.
 * Three letters with a code a day; new faces a year as the settings say. Both are counted in the audit log.
 * Every address on record hears before the code is sent, with a link that stops it: no silent recovery.

Not here: the code (factors/mailed_codes.py), what is refused after it (ceremonies/cooldown.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from plugin.ceremonies.cooldown import refuse_recovery_here
from plugin.ceremonies.types import Purpose
from plugin.errors import ServiceError
from plugin.helpdesk import letters, limits
from plugin.store.cooling import FACE_REPLACED

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import CeremonyView
    from plugin.factors.mailed_codes import MailedCodes
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.stopping import Stopping
    from plugin.helpdesk.types import Directory, OnRecord, Post
    from plugin.settings import Settings
    from plugin.store.database import Database

SENT: Final = "mailed_code_sent"
MOST_A_DAY: Final = 3
_DAY: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=365)


class OwnRecovery:
    """Begin, and send the code."""

    def __init__(
        self,
        ceremonies: Ceremonies,
        codes: MailedCodes,
        *,
        directory: Directory,
        post: Post,
        policy: Policy,
        stopping: Stopping,
        database: Database,
        audit: AuditLog,
        settings: Settings,
    ) -> None:
        self._ceremonies = ceremonies
        self._codes = codes
        self._directory = directory
        self._post = post
        self._policy = policy
        self._stopping = stopping
        self._database = database
        self._audit = audit
        self._settings = settings

    @property
    def is_offered(self) -> bool:
        """Tell whether people may replace a changed face by themselves."""
        return self._settings.new_faces_per_year > 0

    def begin(self, view: CeremonyView, *, now: datetime) -> CeremonyView:
        """Turn a login that has not begun into the way to a new face; nothing is proven by it.

        Raises:
            CeremonyRefused: not at the beginning of a login, cooling_down, recovery_not_here, new_faces_used_up.
        """
        if not self.is_offered:
            raise ServiceError("new_faces_used_up", "switched_off")
        refuse_recovery_here(view, database=self._database, audit=self._audit, settings=self._settings, now=now)

        def within(session: Session) -> None:
            self._log("recovery_begun", view, now=now, session=session, details={"purpose": Purpose.NEW_FACE.value})

        return self._ceremonies.turn(view, to=Purpose.NEW_FACE, now=now, within=within)

    def send(self, view: CeremonyView, *, now: datetime) -> None:
        """Tell every address, then mail a code to the first, in place of an earlier one.

        Raises:
            ServiceError: helpdesk_only, no_mailbox, too_many_codes, new_faces_used_up, mail_failed: none was sent.
        """
        person = self._person(view, now=now)
        self._count(view, now=now)
        code, drawn = self._codes.draw(view, now=now)
        link = f"{self._settings.issuer}/helpdesk/stop/{self._stopping.new_link(view.owner, now=now)}"
        try:
            for addresses, letter in (
                (person.addresses, letters.new_face_asked(link=link)),
                ((person.mailbox,), letters.mailed_code(code, expires_at=view.expires_at)),
            ):
                self._post.send(addresses, subject=letter.subject, text=letter.text)
        except ServiceError:
            self._codes.withdraw(drawn, now=now)
            raise

    def was_sent(self, view: CeremonyView) -> bool:
        """Tell whether a code is on its way."""
        return self._codes.was_drawn(view)

    def redeem(self, view: CeremonyView, typed: str, *, now: datetime) -> CeremonyView:
        """Use the mailed code up. Raises FactorRejected, LockedOut."""
        return self._codes.redeem(view, typed, now=now)

    def _person(self, view: CeremonyView, *, now: datetime) -> OnRecord:
        person = self._directory.person(view.subject)
        if person is None or not person.enabled or not person.mailbox:
            self._refuse(view, "no_mailbox", now=now)
        if person.is_staff or self._policy.rules_of(person):
            self._refuse(view, "helpdesk_only", now=now)
        return person

    def _count(self, view: CeremonyView, *, now: datetime) -> None:
        with self._database.transaction() as session:
            self._log(SENT, view, now=now, details={}, session=session)
            many = limits.exceeds(session, SENT, owner=view.owner, most=MOST_A_DAY, within=_DAY, now=now)
            most = self._settings.new_faces_per_year - 1
            often = limits.exceeds(session, FACE_REPLACED, owner=view.owner, most=most, within=_YEAR, now=now)
        if many or often:
            self._refuse(view, "too_many_codes" if many else "new_faces_used_up", now=now)

    def _refuse(self, view: CeremonyView, code: str, *, now: datetime) -> NoReturn:
        self._log("request_refused", view, now=now, details={"code": code, "purpose": view.purpose.value})
        raise ServiceError(code)

    def _log(
        self, event: str, view: CeremonyView, *, now: datetime, details: dict[str, Any], session: Session | None = None
    ) -> None:
        about = {"issuer": view.issuer, "subject": view.subject, "ceremony_id": view.id}
        self._audit.append(event, at=now, **about, details=details, session=session)
