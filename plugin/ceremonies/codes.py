"""Result codes: what a finished ceremony hands to the browser, and the identity provider redeems over its own channel.

Rules:
 * A code is consumed, in one statement, before anything about it is judged: whoever brings it burns it.
 * It is good for one client, one redirect address and the one login that holds the PKCE verifier.
 * Every refusal is the same from outside and names its check in the audit log.

Not here: who the client is (doors/ has checked its signature), the id_token (doors/).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from plugin.ceremonies.types import Purpose, RedeemedResult
from plugin.errors import ClientRefused
from plugin.store.instants import from_ms, to_ms
from plugin.store.integrity import check
from plugin.store.tables import ResultCode
from vault.interface import WrongMac

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import AuditSink, CeremonyView
    from plugin.store.database import Database
    from vault.interface import Sealer


def new_row(view: CeremonyView, code: str, *, acr: str, now: datetime, ttl_s: int) -> ResultCode:
    """Return the row of a new code; its MAC is the caller's."""
    return ResultCode(
        code_hash=_digest(code),
        issuer=view.issuer,
        subject=view.subject,
        ceremony_id=view.id,
        purpose=(Purpose.LOGIN if view.purpose.is_recovery else view.purpose).value,
        redirect_uri=view.redirect_uri,
        nonce=view.nonce,
        code_challenge=view.code_challenge,
        acr=acr,
        amr=list(view.amr),
        auth_time_ms=to_ms(now),
        reference_id=view.reference_id,
        expires_ms=to_ms(now + timedelta(seconds=ttl_s)),
        used_ms=None,
    )


class _Unfit(Exception):  # noqa: N818  (an outcome)
    """The code proves nothing; `check` says why, for the audit log."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


def redeem(
    code: str,
    *,
    expected_client: str,
    expected_redirect_uri: str,
    code_verifier: str,
    now: datetime,
    database: Database,
    sealer: Sealer,
    audit: AuditSink,
) -> RedeemedResult:
    """Return what the code proves, once. The checks are numbered in `_judge`.

    Raises:
        ClientRefused: "client_refused"; the check's name is in `detail` and in the audit log.
    """
    row, first_use = _consume(code, now=now, database=database)
    try:
        result = _judge(
            row,
            first_use=first_use,
            expected_client=expected_client,
            expected_redirect_uri=expected_redirect_uri,
            code_verifier=code_verifier,
            now=now,
            sealer=sealer,
        )
    except _Unfit as exc:
        _log_refusal(audit, row, client=expected_client, failed=exc.check, now=now)
        raise ClientRefused("client_refused", exc.check) from exc
    audit.append(
        "result_redeemed",
        at=now,
        issuer=result.issuer,
        subject=result.subject,
        ceremony_id=result.ceremony_id,
        details={"purpose": result.purpose.value, "amr": list(result.amr)},
    )
    return result


def _judge(
    row: ResultCode | None,
    *,
    first_use: bool,
    expected_client: str,
    expected_redirect_uri: str,
    code_verifier: str,
    now: datetime,
    sealer: Sealer,
) -> RedeemedResult:
    """Return what a consumed code proves, or raise _Unfit.

    0. known, first use   `_consume` has taken it out of the store before we look at anything
    1. as we wrote it     a row inserted into the database is no result
    2. not expired        a code must not wait in somebody's browser history
    3. right client       one realm must not redeem another's result
    4. right address      RFC 6749 4.1.3
    5. right login        RFC 7636: the verifier never left the login that asked
    """
    if row is None:  # (0)
        raise _Unfit("code_unknown")
    if not first_use:  # (0)
        raise _Unfit("code_used")
    try:
        check(row, sealer=sealer)  # (1)
    except WrongMac as exc:
        raise _Unfit("code_row_changed") from exc
    if to_ms(now) >= row.expires_ms:  # (2)
        raise _Unfit("code_expired")
    if row.issuer != expected_client:  # (3)
        raise _Unfit("code_of_other_client")
    if row.redirect_uri != expected_redirect_uri:  # (4)
        raise _Unfit("code_for_other_redirect")
    if not hmac.compare_digest(_s256(code_verifier), row.code_challenge.encode()):  # (5)
        raise _Unfit("code_verifier_wrong")
    return _result(row)


def _log_refusal(audit: AuditSink, row: ResultCode | None, *, client: str, failed: str, now: datetime) -> None:
    """Note who brought what; another client's subject is not written into this client's entries."""
    audit.append(
        "result_refused",
        at=now,
        issuer=client,
        subject=row.subject if row is not None and row.issuer == client else "",
        ceremony_id=row.ceremony_id if row is not None else "",
        details={"check": failed},
    )


def _consume(code: str, *, now: datetime, database: Database) -> tuple[ResultCode | None, bool]:
    """Mark the code as used if it was not; return its row, and whether this was the first use."""
    digest = _digest(code)
    unused = (ResultCode.code_hash == digest, ResultCode.used_ms.is_(None))
    with database.transaction() as session:
        consumed = session.execute(update(ResultCode).where(*unused).values(used_ms=to_ms(now)))
        row = session.get(ResultCode, digest)
    return row, consumed.rowcount == 1  # type: ignore[attr-defined]


def _result(row: ResultCode) -> RedeemedResult:
    return RedeemedResult(
        issuer=row.issuer,
        subject=row.subject,
        purpose=Purpose(row.purpose),
        amr=tuple(row.amr),
        acr=row.acr,
        auth_time=from_ms(row.auth_time_ms),
        nonce=row.nonce,
        reference_id=row.reference_id,
        ceremony_id=row.ceremony_id,
    )


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _s256(verifier: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
