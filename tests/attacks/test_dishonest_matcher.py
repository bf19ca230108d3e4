"""The matcher holds encrypted faces and may ask the key service; it is curious, or its token was stolen."""

from __future__ import annotations

import json
from base64 import b64encode

import numpy as np
import pytest

from plugin.encrypted.app import create_key_service
from plugin.encrypted.callers import Callers, add_caller
from plugin.encrypted.judge import JUDGED, REFUSED
from plugin.errors import LockedOut, ServiceError
from tests.plugin.encrypted.parties import CALLER, Parties, face, keys
from tests.stack.database import fresh_database
from vault.he import CiphertextRefused, PublicContext, make_keys


@pytest.fixture
def parties(tmp_path):
    with fresh_database(tmp_path) as database:
        yield Parties(database)


@pytest.fixture
def door(parties, tmp_path):
    """The key service's HTTP side, and the token of the one caller it knows."""
    (tmp_path / "callers.json").write_text("{}")
    (tmp_path / "callers.json").chmod(0o600)
    add_caller(tmp_path / "callers.json", CALLER, token_file=tmp_path / "token")
    app = create_key_service(parties.judge, Callers.load(tmp_path / "callers.json"), clock=lambda: parties.now)
    return app.test_client(), (tmp_path / "token").read_text().strip()


def asked(parties, one, other, **changes):
    scores = {name: parties.public.score(getattr(one, name), getattr(other, name)) for name in ("facenet", "sface")}
    body = {"record": "alice", "calibration": one.calibration}
    return body | {name: b64encode(score).decode() for name, score in scores.items()} | changes


def audited(parties, event):
    return [dict(entry.details) for entry in parties.audit.entries(limit=1000) if entry.event == event]


def test_the_answer_is_one_bit_and_the_log_has_no_score(parties, door):
    client, token = door
    alice = parties.encrypted(face(1))
    headers = {"Authorization": f"Bearer {token}"}
    yes = client.post("/judge", json=asked(parties, alice, parties.encrypted(face(1, 1))), headers=headers)
    no = client.post("/judge", json=asked(parties, alice, parties.encrypted(face(2))), headers=headers)
    assert (yes.get_json(), no.get_json()) == ({"match": True}, {"match": False})
    assert audited(parties, JUDGED) == [{"code": "yes"}, {"code": "no"}]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic {token}", "bearer {token}x"])
def test_who_is_not_known_is_not_heard(parties, door, header):
    client, token = door
    body = asked(parties, parties.encrypted(face(1)), parties.encrypted(face(1, 1)))
    headers = {} if header is None else {"Authorization": header.format(token=token)}
    answer = client.post("/judge", json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "caller_unknown")
    assert audited(parties, JUDGED) == audited(parties, REFUSED) == []


def test_a_stolen_list_of_callers_opens_nothing(door, tmp_path):
    client, _ = door
    (digest,) = json.loads((tmp_path / "callers.json").read_text()).values()
    answer = client.post("/judge", json={}, headers={"Authorization": f"Bearer {digest}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"record": 1}',
        b"null",
        json.dumps({"record": "", "calibration": "c", "facenet": "", "sface": ""}).encode(),
        json.dumps({"record": "a\nb", "calibration": "c", "facenet": "", "sface": ""}).encode(),
        json.dumps({"record": "a", "calibration": "c", "facenet": "###", "sface": ""}).encode(),
        json.dumps({"record": "a", "calibration": "c", "facenet": "", "sface": "", "threshold": "0"}).encode(),
        b"x" * 1_000_000,
    ],
)
def test_what_is_no_request_is_refused_in_one_sentence(door, body):
    client, token = door
    answer = client.post("/judge", data=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {400, 413}
    assert set(answer.get_json()) == {"error", "message"}


def test_a_scaled_probe_that_asks_for_one_coordinate_is_noticed(parties):
    """Encrypt 40 times a unit vector along one axis: the score would tell a coordinate of the victim, bit by bit."""
    alice = parties.encrypted(face(1))
    axis = np.zeros(128, np.float32)
    axis[np.argmax(np.abs(face(1).sface.vector))] = 40.0
    scaled = parties.public.score(alice.sface, parties.public.encrypt(axis))
    with pytest.raises(ServiceError, match="no_cosine"):
        parties.asks(alice, alice, sface=scaled)
    assert audited(parties, REFUSED) == [{"check": "no_cosine"}]


def test_a_reference_itself_is_no_score(parties):
    alice = parties.encrypted(face(1))
    with pytest.raises(ServiceError, match="ciphertext"):
        parties.asks(alice, alice, facenet=alice.facenet)


def test_ciphertexts_of_another_key_or_cut_are_refused(parties):
    alice = parties.encrypted(face(1))
    foreign = PublicContext(make_keys().public)
    theirs = foreign.encrypt(face(1).sface.vector)
    with pytest.raises(ServiceError):
        parties.asks(alice, alice, sface=foreign.score(theirs, theirs))
    with pytest.raises(ServiceError, match="ciphertext"):
        parties.asks(alice, alice, sface=b"\x00" * 500)
    with pytest.raises(CiphertextRefused):
        parties.public.score(alice.facenet[:5000], alice.facenet)


def test_thresholds_are_the_key_services(parties):
    alice = parties.encrypted(face(1))
    with pytest.raises(ServiceError, match="calibration"):
        parties.asks(alice, parties.encrypted(face(1, 1)), calibration="0" * 16)


def test_hill_climbing_on_one_record_ends_after_a_hundred(parties):
    """Vary a probe and listen to yes and no: ten free tries, then half a minute each, then never again."""
    alice, other = parties.encrypted(face(1)), parties.encrypted(face(2))
    scores = parties.scores(alice, other)
    for _ in range(10):
        assert not parties.asks(alice, other, **scores)
    with pytest.raises(LockedOut, match="locked_for_now"):
        parties.asks(alice, other, **scores)
    for _ in range(90):
        parties.passes(seconds=31)
        assert not parties.asks(alice, other, **scores)
    parties.passes(days=30)
    with pytest.raises(LockedOut, match="factor_off"):
        parties.asks(alice, parties.encrypted(face(1, 1)))


def test_asking_under_ever_new_names_spends_the_callers_budget(tmp_path):
    with fresh_database(tmp_path) as database:
        parties = Parties(database, budget=5)
        alice, other = parties.encrypted(face(1)), parties.encrypted(face(2))
        assert parties.asks(alice, parties.encrypted(face(1, 1)))  # a yes costs nothing
        for number in range(5):
            assert not parties.asks(alice, other, record=f"alias-{number}")
        with pytest.raises(ServiceError, match="match_limited"):
            parties.asks(alice, other, record="alias-6")
        again = Parties(database, budget=5)  # a restart does not help
        again.passes(hours=23)
        with pytest.raises(ServiceError, match="match_limited"):
            again.asks(alice, other, record="alias-7")
        again.passes(hours=2)
        assert not again.asks(alice, other, record="alias-8")


def test_the_matchers_files_do_not_decrypt(parties, tmp_path):
    """Everything that a thief finds at the matcher's: public context and ciphertexts."""
    import tenseal as ts  # noqa: PLC0415  (the thief uses the library directly)

    context = ts.context_from(keys().public)
    stolen = ts.ckks_vector_from(context, parties.encrypted(face(1)).sface)
    with pytest.raises((ValueError, RuntimeError)):
        stolen.decrypt()
