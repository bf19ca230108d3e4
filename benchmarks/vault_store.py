"""Calls a second of what a login does to the vault and the database, one thread, best of three rounds.

    .venv/bin/python -m benchmarks.vault_store [--json OUT]

Starts a real OpenBao in memory on loopback. The figures in docs/adr/0002-vault-transit.md come from here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plugin.audit.log import AuditLog
from tests.stack.database import fresh_database
from tests.stack.keyring import fresh_keyring
from tests.stack.openbao import OpenBao
from vault import transform
from vault.interface import Context, Purpose, Sealer
from vault.references import ReferenceBinding, open_reference, seal_reference
from vault.transit import POLICY, TransitSealer

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE = Context("https://idp.example/realms/a", "alice", Purpose.REFERENCE)
BINDING = ReferenceBinding("record", ALICE.issuer, ALICE.subject, "consent", "digests", 0, 2**42)
ROW = b"c" * 400  # about what the columns of a reference row come to


def rate(work: Callable[[], object], *, calls: int) -> float:
    """Return calls a second in the best of some rounds; the others were disturbed by something."""
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(calls):
            work()
        best = max(best, calls / (time.perf_counter() - began))
    return best


def unit(size: int) -> np.ndarray:
    vector = np.random.default_rng(size).normal(size=size)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def measure_sealer(sealer: Sealer, *, calls: int) -> dict[str, float]:
    face = {"facenet": unit(512), "sface": unit(128)}
    secret = sealer.seal(b"s" * 32, context=ALICE, associated_data=b"row")
    reference = seal_reference(face, sealer=sealer, binding=BINDING)

    def opened() -> object:
        return open_reference(reference, sealer=sealer, binding=BINDING, expected_model_digests="digests", now=NOW)

    return {
        "seal 32 bytes": rate(lambda: sealer.seal(b"s" * 32, context=ALICE, associated_data=b"row"), calls=calls),
        "open 32 bytes": rate(lambda: sealer.open(secret, context=ALICE, associated_data=b"row"), calls=calls),
        "derive (asks each time)": rate(lambda: sealer.derive(ROW, label="bench"), calls=calls),
        "mac (key kept)": rate(lambda: sealer.mac(ROW, label="bench"), calls=calls * 10),
        "seal a reference": rate(lambda: seal_reference(face, sealer=sealer, binding=BINDING), calls=calls // 2),
        "open a reference": rate(opened, calls=calls // 2),
        "check, one purpose": rate(lambda: sealer.check([Purpose.CEREMONY]), calls=calls // 4),
    }


def measure_transform() -> dict[str, float]:
    vector = unit(512)
    rng = np.random.default_rng(0)
    return {
        "keyed Hadamard rounds": rate(lambda: transform.protect(vector, key=bytes(32), name="facenet"), calls=500),
        "QR of a 512x512 Gaussian": rate(lambda: np.linalg.qr(rng.normal(size=(512, 512))), calls=5),
    }


def measure_store(folder: Path) -> dict[str, float]:
    with fresh_database(folder) as database:
        log = AuditLog(database)
        details = {"factor": "totp", "code": "totp_reused", "attempt": 3}

        def append() -> object:
            return log.append("factor_refused", at=NOW, issuer=ALICE.issuer, subject=ALICE.subject, details=details)

        def empty() -> None:
            with database.transaction():
                pass

        figures = {"transaction, nothing written": rate(empty, calls=500), "audit entry": rate(append, calls=200)}
        with database.transaction() as session:
            for _ in range(5000):
                log.append("factor_refused", at=NOW, details=details, session=session)
        entries = log.verify().head.seq
        figures["audit entries verified"] = rate(log.verify, calls=1) * entries
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with OpenBao.start(folder / "openbao") as bao:
            TransitSealer(bao.url, bao.root_token).install()
            figures = {"transit": measure_sealer(TransitSealer(bao.url, bao.token_for(POLICY)), calls=300)}
        figures["keyring"] = measure_sealer(fresh_keyring(folder), calls=2000)
        figures["transform"] = measure_transform()
        figures["store"] = measure_store(folder)
    for group, rates in figures.items():
        for what, value in rates.items():
            print(f"{group:<10} {what:<30} {value:>10,.0f} /s {1000 / value:>9.3f} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
