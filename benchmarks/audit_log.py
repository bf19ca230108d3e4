"""How fast the audit log is verified, written and exported; on SQLite, and on a PostgreSQL that is started for it.

    .venv/bin/python -m benchmarks.audit_log [--entries 1000000] [--only sqlite|postgresql] [--json OUT]

The entries are synthetic, shaped like those of logins; the chain is the real one. Figures in docs/operations.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert

from plugin.audit.chain import ENTRIES, FIRST_PREVIOUS, hash_of
from plugin.audit.checkpoints import Checkpoints
from plugin.audit.events import encode_details
from plugin.audit.export import export
from plugin.audit.log import AuditLog
from plugin.audit.verify import verify_stream
from plugin.store.database import Database
from plugin.store.instants import to_ms
from tests.stack.database import fresh_database
from tests.stack.keyring import fresh_keyring
from tests.stack.postgresql import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator

START = to_ms(datetime(2026, 1, 1, tzinfo=UTC))
BATCH = 5000
KINDS = (
    ("ceremony_begun", {"purpose": "login", "stage": "possession"}),
    ("factor_accepted", {"factor": "totp"}),
    ("face_challenge_drawn", {"steps": ["turn_left", "blink", "flash"], "attempt": 1}),
    (
        "factor_accepted",
        {
            "factor": "face",
            "confirmed_by": ["parallax", "flash", "challenge"],
            "calibration": "0123456789abcdef",
            "similarity_facenet": 0.731,
            "threshold_facenet": 0.41,
            "fused_score": 2.25,
            "fused_threshold": 1.1,
        },
    ),
    ("result_issued", {"purpose": "login", "amr": ["otp", "face"], "acr": "facestep"}),
    ("result_redeemed", {"purpose": "login", "amr": ["otp", "face"]}),
)
DETAILS = [(event, encode_details(details)) for event, details in KINDS]


def entries(count: int) -> Iterator[dict]:
    previous = FIRST_PREVIOUS
    for seq in range(1, count + 1):
        event, details = DETAILS[seq % len(DETAILS)]
        entry = {
            "stream": "service",
            "seq": seq,
            "at_ms": START + seq * 250,
            "event": event,
            "issuer": "https://sso.example.org/realms/staff",
            "subject": f"0b2c6f2e-0000-4000-8000-{seq % 5000:012d}",
            "ceremony_id": f"{seq // len(DETAILS):043d}",
            "details": details,
            "previous_hash": previous,
        }
        previous = entry["entry_hash"] = hash_of(entry)
        yield entry


def fill(database: Database, count: int) -> float:
    began, batch = time.perf_counter(), []
    for entry in entries(count):
        batch.append(entry)
        if len(batch) == BATCH or entry["seq"] == count:
            with database.transaction(lasting=False) as session:
                session.execute(insert(ENTRIES), batch)
            batch = []
    return count / (time.perf_counter() - began)


class Nowhere:
    """A file that forgets."""

    size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


def appended(database: Database, *, threads: int, seconds: float = 5) -> float:
    """Return entries a second, each in a lasting transaction of its own, that so many threads write together."""
    log, until, done = AuditLog(database), time.perf_counter() + seconds, []

    def work() -> None:
        count = 0
        while time.perf_counter() < until:
            log.append("factor_refused", at=datetime.now(UTC), subject="alice", details={"factor": "totp"})
            count += 1
        done.append(count)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / seconds


def measure(database: Database, folder: Path, count: int) -> dict[str, float]:
    figures = {"made, a second (not the log's own way)": fill(database, count)}
    clock, used = time.perf_counter(), time.process_time()
    verify_stream(database, "service")
    figures["verified, a second"] = count / (time.perf_counter() - clock)
    figures["verified, a second of this process's CPU"] = count / (time.process_time() - used)
    checkpoints = Checkpoints(database, signer=fresh_keyring(folder), deployment="https://facestep.example")
    checkpoints.make(now=datetime.now(UTC))
    out, clock = Nowhere(), time.perf_counter()
    export(AuditLog(database), out, deployment="https://facestep.example", form="jsonl", after=max(0, count - 100_000))
    figures["exported as JSON, a second"] = min(count, 100_000) / (time.perf_counter() - clock)
    figures["bytes an entry as JSON"] = out.size / min(count, 100_000)
    for threads in (1, 8):
        figures[f"appended by {threads} threads, a second"] = appended(database, threads=threads)
    return figures


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Database]:
    if name == "sqlite":
        with fresh_database(folder, busy_timeout_s=30) as database:
            yield database
        return
    with (
        PostgreSQL.start(fsync=True) as server,
        server.database() as url,
        closing(Database(url, busy_timeout_s=30)) as database,
    ):
        yield database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    found = {}
    for name in (arguments.only,) if arguments.only else ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as folder, opened(name, Path(folder)) as database:
            found[name] = measure(database, Path(folder), arguments.entries)
        for what, value in found[name].items():
            print(f"{name:<11} {what:<45} {value:>10,.0f}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
