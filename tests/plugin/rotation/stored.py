"""Rows as the service stores them, for rotations: references, TOTP secrets, the signing key, logins under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, text

from plugin.audit.log import AuditLog
from plugin.ceremonies.types import Subject
from plugin.doors.signer import Signer
from plugin.factors import totp
from plugin.factors.references import binding_of
from plugin.rotation.tables import sealed_tables
from plugin.store.instants import to_ms
from plugin.store.integrity import check, sign
from plugin.store.tables import AuditEntry, Ceremony, Reference, TotpSecret
from tests.stack.keyring import fresh_keyring
from vault.interface import Ciphertext
from vault.policies import Role
from vault.references import SealedReference, open_reference, seal_reference
from vault.rotation import rotate
from vault.transform import VERSION

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REALM = "https://idp.example/realms/a"
ISSUER = "https://face.example"
SECRET = b"JBSWY3DPEHPK3PXP"


def face(seed):
    rng = np.random.default_rng(seed)
    vectors = {"facenet": rng.normal(size=512), "sface": rng.normal(size=128)}
    return {name: (vector / np.linalg.norm(vector)).astype(np.float32) for name, vector in vectors.items()}


@pytest.fixture(params=["keyring", pytest.param("transit", marks=pytest.mark.servers)])
def held(request, tmp_path):
    """The service's sealer; the rotator, and what makes its MACs, with a token of its own."""
    if request.param == "keyring":
        keyring = fresh_keyring(tmp_path)
        return keyring, keyring, keyring
    vault = request.getfixturevalue("vault")
    return vault.sealer(), vault.rotator(), vault.sealer(Role.ROTATOR)


class Stored:
    """A database with people in it, and what seals their rows."""

    def __init__(self, database, sealer):
        self.database, self.sealer = database, sealer
        self.audit = AuditLog(database)
        self.now = NOW

    def fill(self, people):
        """Store references and TOTP secrets, and the service's signing key."""
        for number in range(people):
            self.enrol(f"person-{number:04}", number)
        self.signer()

    def enrol(self, subject, seed):
        row = Reference(
            id=f"record-{subject}",
            issuer=REALM,
            subject=subject,
            model_digests="models",
            transform_version=VERSION,
            consent_id="consent",
            created_ms=to_ms(NOW),
            expires_ms=to_ms(NOW + timedelta(days=1)),
        )
        row.sealed_embeddings = seal_reference(face(seed), sealer=self.sealer, binding=binding_of(row))
        owner = Subject(REALM, subject)
        secret = TotpSecret(id=f"totp-{subject}", issuer=REALM, subject=subject, last_step=7, created_ms=1)
        context, bound = totp.context_of(owner), totp.bound_to(secret.id)
        secret.sealed_secret = self.sealer.seal(SECRET, context=context, associated_data=bound)
        for signed in (row, secret):
            sign(signed, sealer=self.sealer)
        with self.database.transaction() as session:
            session.add_all([row, secret])

    def begin_login(self, *, sealed, minutes=5):
        """Store a login under way that remembers something."""
        names = ("redirect_uri", "state", "nonce", "code_challenge", "acr", "display_name", "locale")
        row = Ceremony(
            id=f"ceremony-{minutes}",
            purpose="login",
            stage="face",
            issuer=REALM,
            subject="person-0000",
            browser_hash=bytes(32),
            amr=[],
            reference_id=None,
            sealed_scratch=sealed,
            version=0,
            created_ms=to_ms(self.now),
            expires_ms=to_ms(self.now + timedelta(minutes=minutes)),
            ended_ms=None,
            **dict.fromkeys(names, "x"),
        )
        sign(row, sealer=self.sealer)
        with self.database.transaction() as session:
            session.add(row)

    def signer(self):
        """Open the signing key as the service does when it starts."""
        return Signer.open(database=self.database, sealer=self.sealer, issuer=ISSUER, now=NOW)

    def tables(self, sealer=None):
        return sealed_tables(
            self.database, sealer=sealer or self.sealer, audit=self.audit, issuer=ISSUER, clock=lambda: self.now
        )

    def rotate(self, rotator, *, sealer=None, batch=3, tables=None):
        """Rotate everything; return what came of each purpose."""
        done = rotate(
            rotator,
            self.tables(sealer) if tables is None else tables,
            report=lambda _: None,
            batch=batch,
            settle_s=0,
        )
        return {outcome.purpose: outcome for outcome in done}

    def marks(self):
        """Return what the sealed values of people begin with, once each."""
        with self.database.reading() as session:
            found = [
                *session.scalars(select(Reference.sealed_embeddings)),
                *session.scalars(select(TotpSecret.sealed_secret)),
            ]
        return {sealed.rpartition(":")[0] + ":" for sealed in found}

    def everything_opens(self):
        """Open every row as the service does: the MAC first. Raises WrongMac or WrongContext."""
        with self.database.reading() as session:
            references = list(session.scalars(select(Reference).order_by(Reference.id)))
            secrets = list(session.scalars(select(TotpSecret).order_by(TotpSecret.id)))
        for seed, row in enumerate(references):
            check(row, sealer=self.sealer)
            vectors = open_reference(
                SealedReference(row.sealed_embeddings),
                sealer=self.sealer,
                binding=binding_of(row),
                expected_model_digests="models",
                now=NOW,
            )
            assert float(vectors["facenet"] @ face(seed)["facenet"]) > 0.999
        for row in secrets:
            check(row, sealer=self.sealer)
            context, bound = totp.context_of(Subject(row.issuer, row.subject)), totp.bound_to(row.id)
            opened = self.sealer.open(Ciphertext(row.sealed_secret), context=context, associated_data=bound)
            assert opened == SECRET
        self.signer()
        return len(references) == len(secrets) > 0

    def write(self, statement):
        with self.database.transaction() as session:
            session.execute(text(statement))

    def events(self):
        with self.database.reading() as session:
            return list(session.scalars(select(AuditEntry.event).order_by(AuditEntry.seq)))
