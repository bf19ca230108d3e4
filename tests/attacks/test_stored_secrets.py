"""Threat: somebody reads, copies or writes the database (a stolen backup, an injected statement, a curious operator).

What they hold: every row, for reading and writing. What they do not: the vault.
"""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from plugin.factors.references import binding_of
from plugin.store.instants import to_ms
from plugin.store.integrity import check, sign
from plugin.store.tables import Reference, TotpSecret
from tests.plugin.rotation.stored import face
from tests.stack.database import fresh_database
from tests.stack.keyring import fresh_keyring
from vault.interface import Ciphertext, Context, Purpose, WrongContext, WrongMac
from vault.references import ReferenceExpired, SealedReference, open_reference, seal_reference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REALM, OTHER_REALM = "https://idp.example/realms/a", "https://idp.example/realms/b"
DIGESTS = "facenet=aa,sface=bb"
MARKED_SECRET = b"JBSWY3DPEHPK3PXP"


@pytest.fixture(params=["keyring", pytest.param("transit", marks=pytest.mark.servers)])
def sealer(request, tmp_path):
    return fresh_keyring(tmp_path) if request.param == "keyring" else request.getfixturevalue("vault").sealer()


class Service:
    """As much of the service as stores and loads secrets, in the order the product does: MAC first, then open."""

    def __init__(self, database, sealer):
        self.database, self.sealer = database, sealer

    def enrol(self, issuer, subject, seed):
        row = Reference(
            id=f"record-{issuer[-1]}-{subject}",
            issuer=issuer,
            subject=subject,
            model_digests=DIGESTS,
            transform_version=1,
            consent_id="consent",
            created_ms=to_ms(NOW),
            expires_ms=to_ms(NOW + timedelta(days=1)),
        )
        row.sealed_embeddings = seal_reference(face(seed), sealer=self.sealer, binding=binding_of(row))
        secret_of = Context(issuer, subject, Purpose.FACTOR_SECRET)
        totp = TotpSecret(id=f"totp-{issuer[-1]}-{subject}", issuer=issuer, subject=subject, last_step=7, created_ms=1)
        totp.sealed_secret = self.sealer.seal(MARKED_SECRET, context=secret_of, associated_data=totp.id.encode())
        for signed in (row, totp):
            sign(signed, sealer=self.sealer)
        with self.database.transaction() as session:
            session.add_all([row, totp])

    def load(self, table, issuer, subject):
        with self.database.reading() as session:
            row = session.scalars(select(table).where(table.issuer == issuer, table.subject == subject)).one()
        check(row, sealer=self.sealer)
        return row

    def reference(self, issuer, subject, *, now=NOW):
        row = self.load(Reference, issuer, subject)
        return self.open(row, binding_of(row), now=now)

    def open(self, row, binding, *, now=NOW):
        sealed = SealedReference(row.sealed_embeddings)
        return open_reference(sealed, sealer=self.sealer, binding=binding, expected_model_digests=DIGESTS, now=now)

    def write(self, statement):
        with self.database.transaction() as session:
            session.execute(text(statement))


@pytest.fixture
def service(tmp_path, sealer):
    with fresh_database(tmp_path) as database:
        service = Service(database, sealer)
        service.enrol(REALM, "alice", 1)
        service.enrol(REALM, "mallory", 2)
        service.enrol(OTHER_REALM, "alice", 1)
        yield service


def test_before_any_attack_everything_opens(service):
    found = service.reference(REALM, "alice")
    assert float(found["facenet"] @ face(1)["facenet"]) > 0.999999


def test_mallory_gives_her_own_face_to_alice(service):
    """Swap the subjects of two rows: log in as Alice with Mallory's face."""
    service.write("UPDATE face_references SET subject = 'nobody' WHERE id = 'record-a-alice'")
    service.write("UPDATE face_references SET subject = 'alice' WHERE id = 'record-a-mallory'")
    with pytest.raises(WrongMac):
        service.reference(REALM, "alice")


@pytest.mark.parametrize(
    "columns", ["sealed_embeddings", "sealed_embeddings, mac", "sealed_embeddings, mac, created_ms"]
)
def test_mallory_copies_her_ciphertext_into_alices_row(service, columns):
    service.write(
        f"UPDATE face_references SET ({columns}) = (SELECT {columns} FROM face_references"  # noqa: S608  (cases above)
        " WHERE id = 'record-a-mallory') WHERE id = 'record-a-alice'",
    )
    with pytest.raises(WrongMac):
        service.reference(REALM, "alice")


def test_the_ciphertext_alone_does_not_move_either(service):
    """Even if the MAC's key were known: the encryption is bound to the subject by itself."""
    stolen = service.load(Reference, REALM, "mallory")
    alice = service.load(Reference, REALM, "alice")
    with pytest.raises(WrongContext):
        service.open(stolen, binding_of(alice))


def test_a_reference_of_another_issuer_is_of_no_use_here(service):
    foreign = service.load(Reference, OTHER_REALM, "alice")
    alice = service.load(Reference, REALM, "alice")
    with pytest.raises(WrongContext):
        service.open(foreign, binding_of(alice))


@pytest.mark.parametrize(
    "edit",
    [
        "expires_ms = expires_ms + 1000000000",
        "model_digests = 'facenet=cc,sface=dd'",
        "transform_version = 0",
        "consent_id = 'another'",
        "created_ms = 0",
        "mac = zeroblob(32)",
        "mac = x''",
        "sealed_embeddings = substr(sealed_embeddings, 1, 100)",
        "sealed_embeddings = ''",
    ],
)
def test_an_edited_row_is_not_believed(service, edit):
    service.write(f"UPDATE face_references SET {edit} WHERE id = 'record-a-alice'")  # noqa: S608  (the cases above)
    with pytest.raises(WrongMac):
        service.reference(REALM, "alice")


def test_a_used_totp_step_cannot_be_made_unused(service):
    service.write("UPDATE totp_secrets SET last_step = 0 WHERE subject = 'alice'")
    with pytest.raises(WrongMac):
        service.load(TotpSecret, REALM, "alice")


def test_a_totp_secret_does_not_open_for_another_subject_purpose_or_row(service):
    row = service.load(TotpSecret, REALM, "alice")
    sealed, bound = Ciphertext(row.sealed_secret), row.id.encode()
    right = Context(REALM, "alice", Purpose.FACTOR_SECRET)
    assert service.sealer.open(sealed, context=right, associated_data=bound) == MARKED_SECRET
    for context, data in (
        (Context(REALM, "mallory", Purpose.FACTOR_SECRET), bound),
        (Context(OTHER_REALM, "alice", Purpose.FACTOR_SECRET), bound),
        (Context(REALM, "alice", Purpose.REFERENCE), bound),
        (right, b"another row"),
    ):
        with pytest.raises(WrongContext):
            service.sealer.open(sealed, context=context, associated_data=data)


def test_a_row_made_up_by_the_attacker_is_not_believed(service):
    service.write("DELETE FROM face_references WHERE id = 'record-a-alice'")
    rest = "sealed_embeddings, model_digests, transform_version, consent_id, created_ms, expires_ms, mac"
    service.write(
        f"INSERT INTO face_references (id, issuer, subject, {rest})"  # noqa: S608  (the columns above)
        f" SELECT 'forged', issuer, 'alice', {rest} FROM face_references WHERE id = 'record-a-mallory'",
    )
    with pytest.raises(WrongMac):
        service.reference(REALM, "alice")


def test_a_copied_database_is_of_no_use_to_another_deployment(service, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Service(service.database, fresh_keyring(tmp_path / "elsewhere"))
    with pytest.raises(WrongMac):
        elsewhere.reference(REALM, "alice")
    with service.database.reading() as session:
        row = session.get_one(Reference, "record-a-alice")
    with pytest.raises(WrongContext):
        elsewhere.open(row, binding_of(row))


def test_the_stolen_file_shows_no_secret_and_no_vector(service, tmp_path):
    service.database.close()  # moves the write-ahead log into the file
    stolen = b"".join(file.read_bytes() for file in sorted(tmp_path.glob("facestep.db*")))
    vector = face(1)["facenet"]
    halves, floats = vector.astype("<f2").tobytes(), vector.tobytes()
    for secret in (MARKED_SECRET, halves, floats, halves[100:130], floats[100:130]):
        assert secret not in stolen
        assert base64.b64encode(secret[:30]) not in stolen


def test_the_same_face_at_two_issuers_leaves_nothing_in_common(service, tmp_path):
    """Who has both tables, or one of each deployment's backups, cannot tell that the two people are one."""
    service.database.close()
    with closing(sqlite3.connect(tmp_path / "facestep.db")) as stolen:
        query = "SELECT sealed_embeddings, mac FROM face_references WHERE subject = 'alice'"
        (one, one_mac), (other, other_mac) = stolen.execute(query)
    assert one_mac != other_mac
    assert len(one) == len(other)
    shared = sum(a == b for a, b in zip(one.rpartition(":")[2], other.rpartition(":")[2], strict=True))
    assert shared < len(one) * 0.03  # 1 in 64 by chance


def test_an_expired_reference_does_not_open(service):
    with pytest.raises(ReferenceExpired):
        service.reference(REALM, "alice", now=NOW + timedelta(days=1))
