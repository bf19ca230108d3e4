from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.stack.keyring import fresh_keyring
from vault import biohash
from vault.interface import WrongContext
from vault.references import (
    ReferenceBinding,
    ReferenceExpired,
    ReferenceOutdated,
    SealedReference,
    open_reference,
    seal_reference,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRES_MS = int(NOW.timestamp() * 1000) + 1000
BINDING = ReferenceBinding(
    record_id="record-1",
    issuer="https://idp.example/realms/a",
    subject="alice",
    consent_id="consent-1",
    model_digests="facenet=aa,sface=bb",
    created_ms=1,
    expires_ms=EXPIRES_MS,
)


@pytest.fixture
def sealer(tmp_path):
    return fresh_keyring(tmp_path)


@pytest.fixture
def face():
    rng = np.random.default_rng(5)
    vectors = {"facenet": rng.normal(size=512), "sface": rng.normal(size=128)}
    return {name: (vector / np.linalg.norm(vector)).astype(np.float32) for name, vector in vectors.items()}


def opened(sealed, sealer, *, binding=BINDING, digests=BINDING.model_digests, now=NOW):
    return open_reference(sealed, sealer=sealer, binding=binding, expected_model_digests=digests, now=now)


def test_a_reference_opens_as_it_was_sealed(sealer, face):
    found = opened(seal_reference(face, sealer=sealer, binding=BINDING), sealer)
    assert set(found) == {"facenet", "sface"}
    for name, vector in found.items():
        assert vector.dtype == np.float32
        assert float(vector @ face[name]) == pytest.approx(1, abs=1e-6)  # half floats cost less than 1e-6


def test_all_references_have_one_size(sealer, face):
    both = seal_reference(face, sealer=sealer, binding=BINDING)
    one = seal_reference({"sface": face["sface"]}, sealer=sealer, binding=BINDING)
    assert len(both) == len(one)


def test_what_is_encrypted_is_the_transformed_vector_only(sealer, face):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    plain = sealer.open(sealed, context=BINDING.context(), associated_data=BINDING.associated_data())
    stored = np.frombuffer(plain, dtype="<f2", count=512, offset=plain.index(b"facenet") + 9).astype(np.float64)
    assert np.linalg.norm(stored) == pytest.approx(1, abs=1e-3)
    assert abs(stored @ face["facenet"]) < 0.3


@pytest.mark.parametrize(
    "edit",
    [
        {"record_id": "record-2"},
        {"issuer": "https://idp.example/realms/b"},
        {"subject": "bob"},
        {"consent_id": "consent-2"},
        {"created_ms": 2},
        {"expires_ms": EXPIRES_MS + 1},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_no_column_of_its_row_can_be_changed(sealer, face, edit):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    with pytest.raises(WrongContext):
        opened(sealed, sealer, binding=replace(BINDING, **edit))


def test_editing_the_digests_to_those_of_new_models_does_not_help(sealer, face):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    with pytest.raises(WrongContext):
        opened(sealed, sealer, binding=replace(BINDING, model_digests="new"), digests="new")


def test_1_an_unknown_transform_is_outdated(sealer, face):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    with pytest.raises(ReferenceOutdated, match="transform"):
        opened(sealed, sealer, binding=replace(BINDING, transform_version=9))


def test_2_a_reference_of_other_models_is_outdated(sealer, face):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    with pytest.raises(ReferenceOutdated, match="model"):
        opened(sealed, sealer, digests="facenet=cc,sface=bb")


def test_3_it_expires_to_the_millisecond(sealer, face):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    opened(sealed, sealer, now=NOW + timedelta(milliseconds=999))
    with pytest.raises(ReferenceExpired):
        opened(sealed, sealer, now=NOW + timedelta(milliseconds=1000))


@pytest.mark.parametrize("damage", [lambda text: text[:-8], lambda text: text + "AAAA", lambda _: ""])
def test_4_a_damaged_ciphertext_does_not_open(sealer, face, damage):
    sealed = seal_reference(face, sealer=sealer, binding=BINDING)
    with pytest.raises(WrongContext):
        opened(SealedReference(damage(sealed)), sealer)


@pytest.mark.parametrize(
    "edit",
    [
        lambda plain: b"FSR2" + plain[4:],
        lambda plain: plain[:-1],
        lambda plain: plain + b"\x00",
        lambda plain: plain[:-1] + b"\x01",
        lambda plain: plain[:4] + b"\x09" + plain[5:],
        lambda plain: plain[:5] + b"\xff" + plain[6:],
        lambda plain: plain[:30] + bytes(500) + plain[530:],
        lambda plain: plain[:30] + b"\xff\x7f" * 200 + plain[430:],
    ],
    ids=["format", "short", "long", "after the end", "count", "name", "not unit", "not a number"],
)
def test_5_an_authentic_text_that_is_no_reference_of_ours_is_refused(sealer, face, edit):
    where = {"context": BINDING.context(), "associated_data": BINDING.associated_data()}
    plain = sealer.open(seal_reference(face, sealer=sealer, binding=BINDING), **where)
    sealed = SealedReference(sealer.seal(edit(plain), **where))
    with pytest.raises((WrongContext, ValueError)) as refused:
        opened(sealed, sealer)
    assert isinstance(refused.value, WrongContext)


@pytest.mark.parametrize(
    "vector",
    [np.zeros(512), np.ones(512), np.full(512, np.nan), np.eye(512)],
    ids=["zero", "long", "not a number", "matrix"],
)
def test_only_unit_vectors_are_sealed(sealer, vector):
    with pytest.raises(ValueError, match="unit"):
        seal_reference({"facenet": vector.astype(np.float32)}, sealer=sealer, binding=BINDING)


def test_only_a_transform_that_this_version_knows_is_sealed(sealer, face):
    with pytest.raises(ValueError, match="transform"):
        seal_reference(face, sealer=sealer, binding=replace(BINDING, transform_version=9))


def test_vectors_that_do_not_fit_are_not_cut(sealer):
    vector = np.eye(1, 1024, dtype=np.float32)[0]
    with pytest.raises(ValueError, match="more than 2048"):
        seal_reference({"a": vector}, sealer=sealer, binding=BINDING)


def test_enrolling_again_gives_a_record_that_is_unlike_the_old_one(sealer, face):
    def stored(binding):
        where = {"context": binding.context(), "associated_data": binding.associated_data()}
        plain = sealer.open(seal_reference(face, sealer=sealer, binding=binding), **where)
        return np.frombuffer(plain, dtype="<f2", count=512, offset=plain.index(b"facenet") + 9).astype(np.float64)

    assert abs(stored(BINDING) @ stored(replace(BINDING, record_id="record-2"))) < 0.3


def test_a_hash_opens_as_a_face_that_is_nearly_the_same(sealer, face):
    hashed = replace(BINDING, transform_version=biohash.VERSION)
    found = opened(seal_reference(face, sealer=sealer, binding=hashed), sealer, binding=hashed)
    likeness = {name: float(vector @ face[name]) for name, vector in found.items()}
    assert likeness == {"facenet": pytest.approx(0.88, abs=0.03), "sface": pytest.approx(0.97, abs=0.03)}


def test_of_a_hash_only_signs_are_kept(sealer, face):
    hashed = replace(BINDING, transform_version=biohash.VERSION)
    plain = sealer.open(
        seal_reference(face, sealer=sealer, binding=hashed),
        context=hashed.context(),
        associated_data=hashed.associated_data(),
    )
    assert len(plain.rstrip(b"\x00")) <= 4 + 1 + 2 * (1 + 7 + 2 + biohash.BITS // 8)


def test_what_one_scheme_sealed_the_other_does_not_open(sealer, face):
    """Who could change the version and all bindings with it would still meet another mark."""
    hashed = replace(BINDING, transform_version=biohash.VERSION)
    plain = sealer.open(
        seal_reference(face, sealer=sealer, binding=BINDING),
        context=BINDING.context(),
        associated_data=BINDING.associated_data(),
    )
    moved = sealer.seal(plain, context=hashed.context(), associated_data=hashed.associated_data())
    with pytest.raises(WrongContext, match="format"):
        opened(SealedReference(moved), sealer, binding=hashed)
