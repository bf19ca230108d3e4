import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey
from sqlalchemy import func, select, update

from plugin.doors.signer import Signer
from plugin.errors import ServiceError
from plugin.store.tables import SigningKey
from tests.fakes.realm import NOW, SERVICE, ec_key
from vault.interface import Context, Purpose, WrongContext


def reopen(door, issuer=SERVICE):
    services = door.services
    return Signer.open(database=services.database, sealer=services.sealer, issuer=issuer, now=NOW)


def empty(door):
    with door.services.database.transaction() as session:
        session.query(SigningKey).delete()


def seal(door, kid, private):
    return door.services.sealer.seal(
        private,
        context=Context(issuer=SERVICE, subject=kid, purpose=Purpose.SIGNING_KEY),
        associated_data=f"signing-key|{kid}".encode(),
    )


def insert(door, kid, sealed):
    with door.services.database.transaction() as session:
        session.add(SigningKey(kid=kid, sealed_private_key=sealed, public_jwk="{}", created_ms=1))


def test_a_restart_finds_the_same_key(door):
    assert reopen(door).kid == door.services.signer.kid


def test_what_it_signs_verifies_with_what_it_publishes(door):
    signer = door.services.signer
    (public,) = signer.public_jwks()["keys"]
    token = signer.sign({"a": 1})
    assert jwt.decode(token, ECKey.import_key(public), algorithms=["ES256"]).claims == {"a": 1}
    with pytest.raises(BadSignatureError):
        jwt.decode(token, ec_key("stranger"), algorithms=["ES256"])


def test_the_private_half_is_published_nowhere_and_stored_sealed(door):
    (public,) = door.services.signer.public_jwks()["keys"]
    assert "d" not in public
    with door.services.database.reading() as session:
        row = session.scalars(select(SigningKey)).one()
    assert "d" not in json.loads(row.public_jwk)
    assert row.sealed_private_key.startswith("keyring:v1:")
    assert "Signer(<1 keys>)" in repr(door.services.signer)


def test_workers_that_start_together_agree_on_one_key(door):
    empty(door)
    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(lambda _: reopen(door).kid, range(8)))
    assert len(kids) == 1
    with door.services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SigningKey)) == 1


def test_a_public_key_written_into_the_database_stops_the_start(door):
    insert(door, ec_key("attacker").thumbprint(), "keyring:v1:AAAA")
    with pytest.raises(WrongContext):
        reopen(door)


def test_a_sealed_key_moved_under_another_id_stops_the_start(door):
    with door.services.database.transaction() as session:
        session.execute(update(SigningKey).values(kid=ec_key("attacker").thumbprint()))
    with pytest.raises(WrongContext):
        reopen(door)


def test_a_key_that_is_not_what_its_id_says_stops_the_start(door):
    private = json.dumps(ec_key("attacker").as_dict(private=True)).encode()
    insert(door, "wrong-id", seal(door, "wrong-id", private))
    with pytest.raises(ServiceError, match="signing_key_invalid"):
        reopen(door)


@pytest.mark.parametrize("private", [b"", b"{}", b"[]", b"\xff", b'{"kty":"oct","k":"AAAA"}'])
def test_a_key_that_does_not_parse_stops_the_start(door, private):
    insert(door, "odd", seal(door, "odd", private))
    with pytest.raises(ServiceError, match="signing_key_invalid"):
        reopen(door)


def test_the_key_of_another_service_does_not_open(door):
    with pytest.raises(WrongContext):
        reopen(door, issuer="https://other.example")


def test_without_keys_there_is_no_signer():
    with pytest.raises(ServiceError, match="signing_key_missing"):
        Signer([])
