"""Rows a second of `facestep vault rotate`, with batches and without, on a real OpenBao and SQLite on this disk.

    .venv/bin/python -m benchmarks.rotation [--rows 100000] [--single 20000] [--json OUT]

Makes that many references of random content (sealed, signed, stored), then rotates the key and moves them all in
batches, as the command does; then some of them again row by row, each with a call and a transaction of its own.
Nothing is extrapolated: every figure is the time of that many rows. The figures in docs/operations.md come from here.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from plugin.audit.log import AuditLog
from plugin.factors.references import binding_of
from plugin.rotation.tables import sealed_tables
from plugin.store.integrity import sign
from plugin.store.tables import Reference
from tests.stack.database import fresh_database
from tests.stack.real_vault import real_vault
from vault.interface import Purpose, ToSeal
from vault.policies import Role
from vault.references import _SIZE
from vault.rotation import BATCH, rotate
from vault.transform import VERSION

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REALM = "https://idp.example/realms/a"


class Timed:
    """A rotator that adds up how long the vault took."""

    def __init__(self, rotator) -> None:
        self._rotator, self.seconds = rotator, 0.0

    def rewrap_many(self, items):
        began = time.perf_counter()
        try:
            return self._rotator.rewrap_many(items)
        finally:
            self.seconds += time.perf_counter() - began

    def __getattr__(self, name):
        return getattr(self._rotator, name)


def store(database, sealer, *, first: int, count: int) -> None:
    """Store `count` references, as large and as signed as real ones; what is in them does not matter here."""
    rows = [
        Reference(
            id=secrets.token_urlsafe(32),
            issuer=REALM,
            subject=f"person-{number:08}",
            model_digests=secrets.token_hex(32),
            transform_version=VERSION,
            consent_id=secrets.token_urlsafe(32),
            created_ms=0,
            expires_ms=2**42,
        )
        for number in range(first, first + count)
    ]
    bindings = [binding_of(row) for row in rows]
    sealed = sealer.seal_many([ToSeal(secrets.token_bytes(_SIZE), b.context(), b.associated_data()) for b in bindings])
    for row, text in zip(rows, sealed, strict=True):
        row.sealed_embeddings = text
        sign(row, sealer=sealer)
    values = [{c.key: getattr(row, c.key) for c in Reference.__table__.columns} for row in rows]
    with database.transaction() as session:
        session.execute(insert(Reference), values)


def measure(database, vault, *, batch: int, rows: int) -> dict[str, float]:
    """Rotate once; return how long it took."""
    client = vault.client_as(Role.ROTATOR)
    rotator = Timed(vault.rotator())
    tables = sealed_tables(
        database,
        sealer=vault.sealer(Role.ROTATOR),
        audit=AuditLog(database),
        issuer="https://face.example",
        clock=lambda: NOW,
    )
    began = time.perf_counter()
    done = {o.purpose: o for o in rotate(rotator, tables, report=lambda _: None, batch=batch, settle_s=0)}
    seconds = time.perf_counter() - began
    outcome = done[Purpose.REFERENCE]
    if not outcome.finished or outcome.rewrapped != rows:
        raise SystemExit(f"{outcome} at {client.url}: not all of {rows} rows were moved")
    return {"rows": rows, "seconds": seconds, "vault_seconds": rotator.seconds, "rows_a_second": rows / seconds}


def keep(database, count: int) -> None:
    """Delete all but `count` rows, for a slower way to be measured on fewer."""
    with database.transaction() as session:
        keeping = session.query(Reference.id).order_by(Reference.id).limit(count).scalar_subquery()
        session.query(Reference).filter(Reference.id.not_in(keeping)).delete(synchronize_session=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="references in all")
    parser.add_argument("--single", type=int, default=20_000, help="of these, how many row by row")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        real_vault(Path(name) / "vault") as vault,
        fresh_database(Path(name)) as database,
    ):
        began = time.perf_counter()
        for first in range(0, arguments.rows, 1000):
            store(database, vault.sealer(), first=first, count=min(1000, arguments.rows - first))
        figures = {"stored": {"rows": arguments.rows, "seconds": time.perf_counter() - began}}
        print(f"stored {arguments.rows} references in {figures['stored']['seconds']:.0f} s", flush=True)
        figures["batches"] = measure(database, vault, batch=BATCH, rows=arguments.rows)
        say(f"in batches of {BATCH}", figures["batches"])
        single = min(arguments.single, arguments.rows)
        keep(database, single)
        figures["row by row"] = measure(database, vault, batch=1, rows=single)
        say("row by row", figures["row by row"])
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def say(how: str, figure: dict[str, float]) -> None:
    print(
        f"{how:<20} {figure['rows']:>8,.0f} rows {figure['seconds']:>8.1f} s {figure['rows_a_second']:>8,.0f} rows/s, "
        f"of this the vault {figure['vault_seconds']:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
