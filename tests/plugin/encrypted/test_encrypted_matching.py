from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from biometric.compare import compare
from plugin.encrypted.matcher import EncryptedFace
from plugin.errors import ServiceError
from tests.plugin.encrypted.parties import face, keys
from tests.plugin.factors.scripted import calibration
from vault.he import CiphertextRefused, EncryptionUnavailable, PublicContext, SecretContext, make_keys


def test_every_pair_of_a_set_is_decided_as_in_the_clear(parties):
    """16 pictures of eight people, from hardly to very alike: 120 pairs, some near the threshold (simulated)."""
    seen = [face(person, picture, alike=0.35 + 0.08 * person) for person in range(8) for picture in range(2)]
    encrypted = [parties.encrypted(one) for one in seen]
    decided = {True: 0, False: 0}
    for number, (i, j) in enumerate(combinations(range(len(seen)), 2)):
        clear = compare(seen[i], seen[j], calibration=calibration()).match
        assert parties.asks(encrypted[i], encrypted[j], record=f"pair-{number}") is clear, (i, j)
        decided[clear] += 1
    assert min(decided.values()) >= 3


def test_a_score_errs_by_hundred_thousandths(parties):
    one, other = face(1), face(1, 1)
    score = parties.public.score(parties.public.encrypt(one.sface.vector), parties.public.encrypt(other.sface.vector))
    found = SecretContext(keys().secret).decrypt(score)
    assert found == pytest.approx(float(one.sface.vector @ other.sface.vector), abs=2e-4)


def test_one_vector_never_looks_the_same_twice(parties):
    vector = face(1).sface.vector
    assert parties.public.encrypt(vector) != parties.public.encrypt(vector)


def test_an_encrypted_face_survives_a_file(parties):
    one = parties.encrypted(face(1))
    assert EncryptedFace.from_bytes(one.to_bytes()) == one


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"[]",
        lambda content: content[:-2],
        lambda content: content.replace(b"encrypted-1", b"encrypted-9"),
        lambda content: json.dumps(json.loads(content) | {"more": 1}).encode(),
    ],
    ids=["empty", "list", "cut", "other version", "more"],
)
def test_a_damaged_file_is_one_error(parties, damage):
    with pytest.raises(ServiceError, match="encrypted_face"):
        EncryptedFace.from_bytes(damage(parties.encrypted(face(1)).to_bytes()))


def test_the_matchers_context_cannot_decrypt_and_the_secret_one_is_refused_to_it(parties):
    with pytest.raises(CiphertextRefused, match="public"):
        PublicContext(keys().secret)
    with pytest.raises(CiphertextRefused, match="secret"):
        SecretContext(keys().public)
    assert "secret" not in repr(parties.public)


def test_it_lives_beside_tensorflow():
    """Both bring a protobuf; bound to the other's, TenSEAL crashes the process. The libraries alone load quickly."""
    folder = Path(find_spec("tensorflow").submodule_search_locations[0])
    files = [str(folder / f"libtensorflow_{name}.so.2") for name in ("framework", "cc")]
    code = (
        f"import ctypes; kept = [ctypes.CDLL(file, ctypes.RTLD_GLOBAL) for file in {files}]; import vault.he;"
        " vault.he.PublicContext(vault.he.make_keys().public); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]


def test_without_the_extra_it_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tenseal", None)
    with pytest.raises(EncryptionUnavailable, match="extra 'he'"):
        make_keys()


def test_nothing_of_a_face_shows_in_its_ciphertext(parties):
    vector = face(1).sface.vector
    encrypted = parties.public.encrypt(vector)
    for kind in (np.float16, np.float32, np.float64):
        assert vector.astype(kind)[:3].tobytes() not in encrypted
