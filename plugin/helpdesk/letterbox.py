"""Letters that are still to be sent: written down first, tried until the mail server takes them.

Rules:
 * A letter is a row (store/letters.py) before it is sent: those of a pass and of its use in the deed's own transaction,
   any other right after the deed, so a process that dies between the two loses it.
 * The addresses are those on record at the first try at which the directory answers; a later change of the record
   leads no letter astray. What a row holds of words and addresses is sealed, and bound to the row.
 * A failure is tried again after 1, 2, 4, … seconds, at most five minutes (audit/outbox.py); a day later the letter is
   dropped, which is an alarm. A letter that was written down may arrive
   twice, and none is left out.
 * Of all processes one sends a letter at a time: taking it is one UPDATE that names the row's MAC.
 * A row that is not as we wrote it is not sent, and is an alarm.

Not here: wording (letters.py), the letter that brings a pass: it arrives at once or the pass is taken back
(aftermath.py).
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, select, update

from plugin.audit.outbox import pause
from plugin.errors import ServiceError
from plugin.helpdesk.letters import Letter
from plugin.store.instants import to_ms
from plugin.store.integrity import check, mac_of
from plugin.store.letters import HelpdeskLetter, new_letter
from vault.encoding import canonical
from vault.interface import Ciphertext, Context, Purpose, VaultError, WrongContext, WrongMac

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.types import Subject
    from plugin.helpdesk.types import Directory, Post
    from plugin.store.database import Database
    from vault.interface import Sealer

LEASE: Final = timedelta(seconds=60)  # above a mail server's timeouts (mail.py)
MOST_AT_ONCE: Final = 20
log = logging.getLogger("facestep.letters")


@dataclass(frozen=True, slots=True, repr=False)
class _Content:
    """What is sent to whom; `to` is None until the directory was asked."""

    letter: Letter
    to: tuple[str, ...] | None


class Letterbox:
    """Put in, send, try again."""

    def __init__(
        self, *, database: Database, sealer: Sealer, directory: Directory, post: Post, audit: AuditLog
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._directory = directory
        self._post = post
        self._audit = audit

    def sealed(self, owner: Subject, letter: Letter, to: Sequence[str] | None, *, now: datetime) -> HelpdeskLetter:
        """Return the row of a letter of its own words, to be added in the transaction of what it tells of."""
        letter_id = secrets.token_urlsafe(32)
        sealed = self._seal(owner.issuer, owner.subject, letter_id, _Content(letter, None if to is None else tuple(to)))
        return new_letter(
            letter_id,
            sealed,
            issuer=owner.issuer,
            subject=owner.subject,
            sealer=self._sealer,
            now=now,
        )

    def tell(self, owner: Subject, letter: Letter, *, now: datetime) -> None:
        """Put in a letter of its own words to every address on record, and send it; what fails stays in."""
        row = self.sealed(owner, letter, None, now=now)
        with self._database.transaction() as session:
            session.add(row)
        self.send_to(owner, now=now)

    def send(self, letter_id: str, *, now: datetime) -> None:
        """Send one letter that was put in. Raises ServiceError if not every address took it; it stays in then."""
        with self._database.reading() as session:
            row = session.get(HelpdeskLetter, letter_id)
        if row is None or not self._try(row, now=now):
            raise ServiceError("mail_failed", "not_taken")

    def send_to(self, owner: Subject, *, now: datetime) -> None:
        """Send what waits for one person; what fails stays in."""
        mine = (HelpdeskLetter.issuer == owner.issuer, HelpdeskLetter.subject == owner.subject)
        try:
            for row in self._due(*mine, now=now):
                self._try(row, now=now)
        except VaultError as exc:
            log.warning("letters wait: %s", exc.code)

    def send_all(self, *, now: datetime) -> None:
        """Send what is due, until the mail server refuses: the others would only meet the same."""
        for row in self._due(now=now):
            if not self._try(row, now=now):
                return

    def withdraw(self, letter_id: str, *, session: Session) -> None:
        """Take a letter out, in the transaction that undoes what it tells of."""
        session.execute(delete(HelpdeskLetter).where(HelpdeskLetter.id == letter_id))

    def _due(self, *conditions: Any, now: datetime) -> list[HelpdeskLetter]:
        query = select(HelpdeskLetter).where(*conditions, HelpdeskLetter.next_try_ms <= to_ms(now))
        with self._database.reading() as session:
            return list(session.scalars(query.order_by(HelpdeskLetter.next_try_ms).limit(MOST_AT_ONCE)))

    def _try(self, row: HelpdeskLetter, *, now: datetime) -> bool:
        """Try once; tell whether the mail server can be asked for the next one."""
        try:
            check(row, sealer=self._sealer)
            if to_ms(now) >= row.expires_ms:
                self._drop(row, "letter_dropped", now=now)
                return True
            content = self._content(row)
        except (WrongMac, WrongContext):
            self._drop(row, "letter_edited", now=now)
            return True
        leased = self._change(row, next_try_ms=to_ms(now + LEASE))
        if leased is None:
            return True  # somebody else has it
        sent: list[str] = []
        try:
            content = self._addressed(row, content)
            for address in content.to or ():
                self._post.send([address], subject=content.letter.subject, text=content.letter.text)
                sent.append(address)
        except ServiceError as exc:
            self._keep(leased, content, sent, exc.code, now=now)
            return False
        self._done(leased, len(sent), now=now)
        return True

    def _content(self, row: HelpdeskLetter) -> _Content:
        opened = self._sealer.open(
            Ciphertext(row.sealed_letter),
            context=_context(row.issuer, row.subject),
            associated_data=_bound_to(row.id),
        )
        found = json.loads(opened)
        to = found["to"]
        return _Content(Letter(found["subject"], found["text"]), None if to is None else tuple(to))

    def _addressed(self, row: HelpdeskLetter, content: _Content) -> _Content:
        if content.to is not None:
            return content
        person = self._directory.person(row.subject)
        if person is None or not person.addresses:
            raise ServiceError("no_address")
        return replace(content, to=person.addresses)

    def _keep(self, row: HelpdeskLetter, content: _Content, sent: Sequence[str], code: str, *, now: datetime) -> None:
        """Write down who still lacks the letter, and when to try again."""
        log.warning("a letter could not be sent: %s", code)
        values: dict[str, Any] = {"failures": row.failures + 1, "next_try_ms": to_ms(now + pause(row.failures + 1))}
        if content.to is not None:
            left = replace(content, to=tuple(one for one in content.to if one not in sent))
            values["sealed_letter"] = self._seal(row.issuer, row.subject, row.id, left)
        kept = self._change(row, **values)
        if kept is not None and row.failures == 0:
            self._log("helpdesk_mail_failed", row, now=now, code=code)

    def _done(self, row: HelpdeskLetter, sent: int, *, now: datetime) -> None:
        with self._database.transaction() as session:
            session.execute(delete(HelpdeskLetter).where(HelpdeskLetter.id == row.id))
            self._log("recovery_notified", row, now=now, session=session, sent=sent)

    def _drop(self, row: HelpdeskLetter, reason: str, *, now: datetime) -> None:
        with self._database.transaction() as session:
            gone: Any = session.execute(delete(HelpdeskLetter).where(HelpdeskLetter.id == row.id))
            if gone.rowcount == 1:
                self._log("helpdesk_alarm", row, now=now, session=session, reason=reason)

    def _change(self, row: HelpdeskLetter, **values: Any) -> HelpdeskLetter | None:
        """Write new values if the row is still what was read; return it as it is then."""
        values["mac"] = mac_of(row, sealer=self._sealer, changed=values)
        unchanged = (HelpdeskLetter.id == row.id, HelpdeskLetter.mac == row.mac)
        with self._database.transaction() as session:
            done = session.execute(update(HelpdeskLetter).where(*unchanged).values(**values))
            if cast("CursorResult[Any]", done).rowcount != 1:
                return None
            return session.get(HelpdeskLetter, row.id)

    def _seal(self, issuer: str, subject: str, letter_id: str, content: _Content) -> Ciphertext:
        parts = {"subject": content.letter.subject, "text": content.letter.text, "to": content.to}
        return self._sealer.seal(
            json.dumps(parts).encode(), context=_context(issuer, subject), associated_data=_bound_to(letter_id)
        )

    def _log(
        self, event: str, row: HelpdeskLetter, *, now: datetime, session: Session | None = None, **details: Any
    ) -> None:
        self._audit.append(event, at=now, issuer=row.issuer, subject=row.subject, details=details, session=session)


def _context(issuer: str, subject: str) -> Context:
    return Context(issuer, subject, Purpose.CEREMONY)


def _bound_to(letter_id: str) -> bytes:
    return canonical("letter", letter_id)
