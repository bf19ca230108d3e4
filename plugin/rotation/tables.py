"""Every column that holds something sealed, and what each value is bound to.

Rules:
 * A new `sealed_…` column of plugin/store/tables.py gets a line here, or its values stay behind when old key versions
   are refused; tests/plugin/rotation holds the two together.
 * What people do not keep is not re-wrapped: the memory of a login under way ends with it, and the old version opens
   until then.

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
WAITED_FOR: Final = (Ceremony.sealed_scratch,)


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
        LiveCeremonies(database, clock=clock),
    ]


def _reference(row: Row[Any]) -> ToOpen:
    binding = binding_of(row)  # type: ignore[arg-type]  # a row of the same columns
    return ToOpen(Ciphertext(row.sealed_embeddings), binding.context(), binding.associated_data())


def _totp_secret(row: Row[Any]) -> ToOpen:
    context = totp.context_of(Subject(row.issuer, row.subject))
    return ToOpen(Ciphertext(row.sealed_secret), context, totp.bound_to(row.id))


class LiveCeremonies:
    """A SealedTable whose values are counted and never moved: the longest ceremony lasts minutes.

    Re-wrapping them would take the MAC key of ceremonies, and who has that can write that a face was seen.
    """

    name: Final[str] = Ceremony.__tablename__
    purpose: Final = Purpose.CEREMONY

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def count_older(self, mark: str) -> int:
        """Return how many logins under way remember something that an older version sealed."""
        query = select(func.count()).where(
            Ceremony.sealed_scratch.is_not(None),
            func.substr(Ceremony.sealed_scratch, 1, len(mark)) != mark,
            Ceremony.ended_ms.is_(None),
            Ceremony.expires_ms > to_ms(self._clock()),
        )
        with self._database.reading() as session:
            return int(session.scalar(query) or 0)

    def batch(self, mark: str, *, after: str, limit: int) -> tuple[Sequence[StoredValue], str | None]:  # noqa: ARG002
        """Return nothing."""
        return (), None

    def refused(self, value: StoredValue) -> None:
        """Never called: nothing is re-wrapped."""
        raise AssertionError(f"{value.place} to re-wrap")

    def write(self, changed: Sequence[tuple[StoredValue, Ciphertext]]) -> int:
        """Never called: there is nothing to write."""
        raise AssertionError(f"{len(changed)} ceremonies to re-wrap")
