"""Every column that holds something sealed, and what each value is bound to.

Rules:
 * A new `sealed_…` column of plugin/store/tables.py gets a line here, or its values stay behind when old key versions
   are refused; tests/plugin/rotation holds the two together.
 * What nobody keeps is not re-wrapped: the memory of a login under way and letters that wait for the mail server end
   within minutes or a day, and the old version opens until then.

Not here: how a row is written (rows.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from plugin.ceremonies.types import Subject
from plugin.doors import signer
from plugin.factors import totp
from plugin.factors.references import binding_of
from plugin.rotation.rows import SealedRows
from plugin.store.instants import to_ms
from plugin.store.letters import HelpdeskLetter
from plugin.store.tables import Ceremony, Reference, SigningKey, TotpSecret
from vault.interface import Ciphertext, Purpose, ToOpen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from plugin.audit.log import AuditLog
    from plugin.store.database import Database
    from vault.interface import Sealer
    from vault.rotation import SealedTable, StoredValue

REWRAPPED: Final = (Reference.sealed_embeddings, TotpSecret.sealed_secret, SigningKey.sealed_private_key)
WAITED_FOR: Final = (Ceremony.sealed_scratch, HelpdeskLetter.sealed_letter)


def sealed_tables(
    database: Database, *, sealer: Sealer, audit: AuditLog, issuer: str, clock: Callable[[], datetime]
) -> list[SealedTable]:
    """Return every table with something sealed. Of `sealer` only MACs of the tables that have them are needed."""

    def signing_key(row: Row[Any]) -> ToOpen:
        context = signer.context_of(issuer, row.kid)
        return ToOpen(Ciphertext(row.sealed_private_key), context, signer.bound_to(row.kid))

    def rows(table: Any, purpose: Purpose, key: str, sealed: str, item: Callable[[Row[Any]], ToOpen]) -> SealedRows:
        return SealedRows(
            table.__table__,
            purpose=purpose,
            key=key,
            sealed=sealed,
            item=item,
            database=database,
            sealer=sealer,
            audit=audit,
            clock=clock,
        )

    return [
        rows(Reference, Purpose.REFERENCE, "id", "sealed_embeddings", _reference),
        rows(TotpSecret, Purpose.FACTOR_SECRET, "id", "sealed_secret", _totp_secret),
        rows(SigningKey, Purpose.SIGNING_KEY, "kid", "sealed_private_key", signing_key),
        *passing(database, clock=clock),
    ]


def passing(database: Database, *, clock: Callable[[], datetime]) -> list[SealedTable]:
    """Return what ends by itself: logins under way, letters that were not sent yet."""
    login, letter = Ceremony.sealed_scratch, HelpdeskLetter.sealed_letter

    def under_way() -> Sequence[Any]:
        return login.is_not(None), Ceremony.ended_ms.is_(None), Ceremony.expires_ms > to_ms(clock())

    return [
        Passing(login, alive=under_way, database=database),
        Passing(letter, alive=lambda: (letter != "",), database=database),
    ]


def _reference(row: Row[Any]) -> ToOpen:
    binding = binding_of(row)  # type: ignore[arg-type]  # a row of the same columns
    return ToOpen(Ciphertext(row.sealed_embeddings), binding.context(), binding.associated_data())


def _totp_secret(row: Row[Any]) -> ToOpen:
    context = totp.context_of(Subject(row.issuer, row.subject))
    return ToOpen(Ciphertext(row.sealed_secret), context, totp.bound_to(row.id))


class Passing:
    """A SealedTable whose values are counted and never moved: what it holds ends by itself, within minutes or a day.

    Re-wrapping it would take the MAC key of ceremonies or letters, and who has that can write that a face was seen.
    """

    purpose: Final = Purpose.CEREMONY

    def __init__(self, column: Any, *, alive: Callable[[], Sequence[Any]], database: Database) -> None:
        self.name: str = column.class_.__tablename__
        self._column, self._alive, self._database = column, alive, database

    def count_older(self, mark: str) -> int:
        """Return how many values that are still needed an older version sealed."""
        older = func.substr(self._column, 1, len(mark)) != mark
        with self._database.reading() as session:
            return int(session.scalar(select(func.count()).where(older, *self._alive())) or 0)

    def batch(self, mark: str, *, after: str, limit: int) -> tuple[Sequence[StoredValue], str | None]:  # noqa: ARG002
        """Return nothing."""
        return (), None

    def refused(self, value: StoredValue) -> None:
        """Never called: nothing is re-wrapped."""
        raise AssertionError(f"{value.place} to re-wrap")

    def write(self, changed: Sequence[tuple[StoredValue, Ciphertext]]) -> int:
        """Never called: there is nothing to write."""
        raise AssertionError(f"{len(changed)} values to re-wrap")
