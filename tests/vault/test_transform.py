from __future__ import annotations

import numpy as np
import pytest

from vault import transform


def unit(rng, size):
    vector = rng.normal(size=size)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def key(number):
    return int(number).to_bytes(32, "big")


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


@pytest.mark.parametrize("size", [1, 2, 128, 512])
def test_the_right_key_gives_the_vector_back(rng, size):
    vector = unit(rng, size)
    protected = transform.protect(vector, key=key(1), name="a")
    np.testing.assert_allclose(transform.recover(protected, key=key(1), name="a"), vector, atol=1e-12)


def test_angles_and_lengths_stay(rng):
    one, other = unit(rng, 512), unit(rng, 512)
    images = [transform.protect(vector, key=key(1), name="a") for vector in (one, other)]
    assert images[0] @ images[1] == pytest.approx(float(one @ other), abs=1e-6)
    assert np.linalg.norm(images[0]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("wrong", [{"key": key(2), "name": "a"}, {"key": key(1), "name": "b"}])
def test_another_key_or_name_gives_a_stranger(rng, wrong):
    vector = unit(rng, 512)
    recovered = transform.recover(transform.protect(vector, key=key(1), name="a"), **wrong)
    assert abs(float(recovered @ vector)) < 0.3


@pytest.mark.parametrize("kind", ["face-like", "one coordinate", "all equal"])
def test_images_under_two_keys_are_as_far_apart_as_random_directions(rng, kind):
    """Unlinkable: the cosine of one face's images under two keys has mean 0 and the spread of chance, 1/sqrt(512)."""
    vectors = {
        "face-like": unit(rng, 512),
        "one coordinate": np.eye(512, dtype=np.float32)[0],
        "all equal": np.full(512, 512**-0.5, dtype=np.float32),
    }
    vector, count = vectors[kind], 400
    cosines = np.array(
        [
            transform.protect(vector, key=key(2 * i), name="a")
            @ transform.protect(vector, key=key(2 * i + 1), name="a")
            for i in range(count)
        ],
    )
    chance = 512**-0.5
    assert abs(cosines.mean()) < 4 * chance / count**0.5
    assert 0.85 * chance < cosines.std() < 1.15 * chance  # 400 draws: standard error 3.5 %


def test_a_size_that_the_transform_cannot_mix_is_refused(rng):
    with pytest.raises(ValueError, match="power of two"):
        transform.protect(unit(rng, 500), key=key(1), name="a")


def test_the_transform_is_the_one_that_stored_references_were_made_with():
    """A change of this value makes every enrolled face unusable: it needs a new VERSION and a way back."""
    protected = transform.protect(np.eye(8, dtype=np.float32)[0], key=key(7), name="facenet")
    assert transform.VERSION == 1
    np.testing.assert_allclose(protected * 8**1.5, [0, 0, 8, -8, 0, -16, 8, 8], atol=1e-9)
