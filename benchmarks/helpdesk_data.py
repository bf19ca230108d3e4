"""People with factors, old cases and a long audit log for benchmarks.helpdesk: synthetic, signed and chained."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from benchmarks.audit_log import DETAILS
from plugin.audit.chain import ENTRIES, FIRST_PREVIOUS, hash_of
from plugin.audit.events import encode_details
from plugin.ceremonies.types import Subject
from plugin.factors.totp import bound_to, context_of
from plugin.helpdesk.cases import Cases
from plugin.helpdesk.policy import Demands
from plugin.helpdesk.types import OnRecord
from plugin.store.instants import to_ms
from plugin.store.integrity import covered, sign
from plugin.store.tables import RecoveryCode, Reference, TotpSecret, WebauthnCredential
from tests.plugin.factors.world import REALM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.plugin.factors.world import World

BATCH = 5000
OLD_CASES = 20_000
OF_HELPDESK = 100
"""One entry of so many is the helpdesk's."""
CODES = 8


def fill(world: World, *, users: int, entries: int, report: Callable[[str, int, int], None]) -> None:
    """Write people, cases over the last 90 days, and a log of as many days that ends now."""
    store(world, (row for number in range(users) for row in factors(world, number)), users * (3 + CODES), report)
    cases = min(OLD_CASES, users)
    store(world, (old_case(world, number, cases) for number in range(cases)), cases, report)
    batch = []
    for entry in log(world, users, entries):
        batch.append(entry)
        if len(batch) == BATCH or entry["seq"] == entries:
            with world.database.transaction(lasting=False) as session:
                session.execute(insert(ENTRIES), batch)
            batch = []
            report("audit log", entry["seq"], entries)


def store(world: World, rows: Iterator, total: int, report: Callable[[str, int, int], None]) -> None:
    tables: dict = {}

    def write() -> None:
        with world.database.transaction(lasting=False) as session:
            for table, values in tables.items():
                session.execute(insert(table), values)
        tables.clear()

    for done, row in enumerate(rows, start=1):
        sign(row, sealer=world.sealer)
        tables.setdefault(row.__table__, []).append({**covered(row), "mac": row.mac})
        if done % BATCH == 0 or done == total:
            write()
            report("cases" if total <= OLD_CASES else "factors", done, total)


def factors(world: World, number: int) -> Iterator:
    """Yield an authenticator app, a passkey, recovery codes and a face of one person."""
    owner, now = Subject(REALM, f"user-{number}-id"), to_ms(world.now) - 86_400_000
    mine = {"issuer": owner.issuer, "subject": owner.subject, "created_ms": now}
    row_id = secrets.token_urlsafe(32)
    sealed = world.sealer.seal(b"S" * 32, context=context_of(owner), associated_data=bound_to(row_id))
    yield TotpSecret(id=row_id, sealed_secret=sealed, last_step=0, **mine)
    yield WebauthnCredential(
        id=secrets.token_urlsafe(32),
        credential_id=secrets.token_bytes(32),
        public_key=bytes(77),
        sign_count=0,
        transports=["internal"],
        aaguid="00000000-0000-0000-0000-000000000000",
        backup_eligible=False,
        backed_up=False,
        last_used_ms=now,
        **mine,
    )
    for _ in range(CODES):
        yield RecoveryCode(id=secrets.token_urlsafe(32), code_hash="$argon2id$" + "x" * 86, used_ms=None, **mine)
    yield Reference(
        id=secrets.token_urlsafe(32),
        sealed_embeddings=sealed * 20,  # as long as a sealed reference; nobody opens it here
        model_digests="none",
        transform_version=1,
        consent_id="none",
        expires_ms=now + 31_536_000_000,
        **mine,
    )


def old_case(world: World, number: int, cases: int):
    person = OnRecord(
        Subject(REALM, f"user-{number}-id"), f"user-{number}", ("x@example.org",), (), frozenset(), enabled=True
    )
    return Cases(database=world.database, sealer=world.sealer).new(
        person,
        opened_by=f"agent-{number % 20}-id",
        ticket=f"T-{number}",
        reason="phone lost",
        risks=(),
        demands=Demands(("call_back",), four_eyes=True),
        now=world.now - timedelta(days=1 + 89 * number / cases),
    )


def log(world: World, users: int, entries: int) -> Iterator[dict]:
    previous, step = FIRST_PREVIOUS, 90 * 86_400_000 / entries
    start = to_ms(world.now) - 90 * 86_400_000
    for seq in range(1, entries + 1):
        agent = f"agent-{seq % 20}-id"
        ours = seq % OF_HELPDESK == 0
        event, details = of_helpdesk(seq // OF_HELPDESK, agent) if ours else DETAILS[seq % len(DETAILS)]
        entry = {
            "stream": "service",
            "seq": seq,
            "at_ms": start + int(seq * step) - 1,
            "event": event,
            "issuer": REALM,
            "subject": agent if event == "helpdesk_looked_up" else f"user-{seq * 7919 % users}-id",
            "ceremony_id": "" if ours else f"{seq // len(DETAILS):043d}",
            "details": details,
            "previous_hash": previous,
        }
        previous = entry["entry_hash"] = hash_of(entry)
        yield entry


def of_helpdesk(number: int, agent: str) -> tuple[str, str]:
    """Return an entry as the helpdesk writes it: look-up, case, request, agreement, pass sent, pass used."""
    said = {"agent": agent, "network": f"192.0.2.{number % 20}"}
    events = ("helpdesk_looked_up", "helpdesk_case_opened", "helpdesk_asked", "helpdesk_agreed", "pass_issued")
    event = (*events, "pass_accepted")[number % 6]
    if event == "helpdesk_agreed":
        said["approver"] = f"agent-{(number + 1) % 20}-id"
    return event, encode_details(said)
