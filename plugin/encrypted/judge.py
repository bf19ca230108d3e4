"""The key service's one answer: do these two encrypted scores, decrypted, make a match? Yes or no, nothing more.

What must hold, in this order:
 1. the caller is known               the HTTP layer's (app.py)
 2. same thresholds                   scores of another calibration would mean something else
 3. the caller's budget is not spent  even one bit is an oracle: so many "no" a day in all
 4. the record's attempts are left    NIST SP 800-63B-4 3.2.3: 10 in a row, then 30 s each; 100 failures, then off
 5. both scores are cosines           a dishonest matcher could scale a vector to ask for single coordinates

Every answer and every refusal is an audit entry; a request is counted before it is decrypted. Numbers are neither
answered nor logged.

What a dishonest matcher still learns: one bit a request about a linear function of a face that he holds encrypted, at
most `budget` times a day with the answer "no" and a hundred times a record in all.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from plugin.ceremonies.attempts import Attempts, Counted
from plugin.ceremonies.types import Subject
from plugin.errors import LockedOut, ServiceError
from plugin.store.instants import to_ms
from plugin.store.tables import AuditEntry
from vault.he import CiphertextRefused

if TYPE_CHECKING:
    from datetime import datetime

    from biometric.calibration import Calibration
    from plugin.audit.log import AuditLog
    from plugin.store.database import Database
    from vault.he import EncryptedScore, SecretContext

JUDGED: Final = "score_judged"
REFUSED: Final = "score_refused"
BUDGET_PER_DAY: Final = 1000
_A_DAY: Final = timedelta(days=1)
_MOST_COSINE: Final = 1.01  # 1, half floats of a reference and the scheme's error


class Judge:
    """Holds the secret key."""

    def __init__(
        self,
        *,
        secret: SecretContext,
        calibration: Calibration,
        database: Database,
        audit: AuditLog,
        budget: int = BUDGET_PER_DAY,
    ) -> None:
        self._secret = secret
        self._calibration = calibration
        self._database = database
        self._attempts = Attempts(database)
        self._audit = audit
        self._budget = budget
        self._one_at_a_time = threading.Lock()
        self._refused_ms: dict[str, deque[int]] = {}
        """When each caller heard no or was refused, the newest `budget` times: the log's word, read once a process."""

    def decide(
        self,
        *,
        caller: str,
        record: str,
        calibration: str,
        facenet: EncryptedScore,
        sface: EncryptedScore,
        now: datetime,
    ) -> bool:
        """Return whether the face before the camera is the enrolled one.

        Raises:
            ServiceError: match_refused, with the check; match_limited.
            LockedOut: this record was asked about too often.
        """
        if calibration != self._calibration.id:  # (2)
            raise self._refusal("calibration", caller=caller, record=record, now=now)
        if self._spent(caller, now=now) >= self._budget:  # (3)
            raise self._refusal("budget", caller=caller, record=record, now=now, code="match_limited")
        try:
            self._attempts.take(Subject(caller, record), Counted.FACE, now=now)  # (4)
        except LockedOut as exc:
            self._refusal("attempts", caller=caller, record=record, now=now)
            raise exc from None
        try:
            with self._one_at_a_time:
                cosines = self._secret.decrypt(facenet), self._secret.decrypt(sface)
        except CiphertextRefused as exc:
            raise self._refusal("ciphertext", caller=caller, record=record, now=now) from exc
        if max(map(abs, cosines)) > _MOST_COSINE:  # (5)
            raise self._refusal("no_cosine", caller=caller, record=record, now=now)
        return self._answer(self._is_match(*cosines), caller=caller, record=record, now=now)

    def _is_match(self, facenet: float, sface: float) -> bool:
        calibration = self._calibration
        return bool(
            calibration.fused(facenet, sface) >= calibration.fused_threshold
            and facenet >= calibration.facenet.floor
            and sface >= calibration.sface.floor
        )

    def _answer(self, match: bool, *, caller: str, record: str, now: datetime) -> bool:  # noqa: FBT001  (the answer)
        with self._database.transaction() as session:
            if match:
                self._attempts.succeed(Subject(caller, record), Counted.FACE, session=session)
            details = {"code": "yes" if match else "no"}
            self._audit.append(JUDGED, at=now, issuer=caller, subject=record, details=details, session=session)
        if not match:
            self._refusals_of(caller, now=now).append(to_ms(now))
        return match

    def _spent(self, caller: str, *, now: datetime) -> int:
        """Return how often this caller heard no, or was refused, within a day; at most the budget."""
        since = to_ms(now - _A_DAY)
        return sum(at_ms > since for at_ms in list(self._refusals_of(caller, now=now)))

    def _refusals_of(self, caller: str, *, now: datetime) -> deque[int]:
        """Return this caller's times. After a restart they come from the log; there is one process (server.py)."""
        with self._one_at_a_time:
            if caller not in self._refused_ms:
                query = (
                    select(AuditEntry.at_ms)
                    .where(AuditEntry.issuer == caller, AuditEntry.at_ms > to_ms(now - _A_DAY))
                    .where(AuditEntry.event.in_((JUDGED, REFUSED)), AuditEntry.details != '{"code":"yes"}')
                    .order_by(AuditEntry.seq.desc())
                    .limit(self._budget)
                )
                with self._database.reading() as session:
                    newest_first = session.scalars(query).all()
                self._refused_ms[caller] = deque(reversed(newest_first), maxlen=self._budget)
            return self._refused_ms[caller]

    def _refusal(
        self, check: str, *, caller: str, record: str, now: datetime, code: str = "match_refused"
    ) -> ServiceError:
        refusals = self._refusals_of(caller, now=now)
        self._audit.append(REFUSED, at=now, issuer=caller, subject=record, details={"check": check})
        refusals.append(to_ms(now))
        return ServiceError(code, check)
