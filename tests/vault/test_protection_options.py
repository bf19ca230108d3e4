"""The two options: hashes and noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vault import biohash
from vault.noise import DELTA, SENSITIVITY, blurred, epsilon_of, sigma_for

KEY, OTHER_KEY = bytes(32), bytes([1] * 32)


def unit(size, seed=1):
    vector = np.random.default_rng(seed).normal(size=size)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def agreement(one, other):
    return float((np.unpackbits(one) == np.unpackbits(other)).mean())


@pytest.mark.parametrize("size", [128, 512, 1024])
def test_a_hash_has_as_many_bits_whatever_the_vector(size):
    signs = biohash.protect(unit(size), key=KEY, name="n")
    assert signs.size * 8 == biohash.BITS
    again = biohash.recover(signs, key=KEY, name="n", size=size)
    assert np.linalg.norm(again) == pytest.approx(1)
    assert again @ unit(size) > 0.75


def test_hashes_of_one_vector_under_two_keys_or_names_agree_by_chance_only():
    one = biohash.protect(unit(512), key=KEY, name="n")
    for other in (
        biohash.protect(unit(512), key=OTHER_KEY, name="n"),
        biohash.protect(unit(512), key=KEY, name="m"),
    ):
        assert agreement(one, other) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(biohash.BITS))


def test_without_the_key_a_hash_points_elsewhere():
    signs = biohash.protect(unit(512), key=KEY, name="n")
    assert abs(biohash.recover(signs, key=OTHER_KEY, name="n", size=512) @ unit(512)) < 0.2


@pytest.mark.parametrize("size", [0, 100, 2048])
def test_a_size_that_bits_cannot_be_made_of_is_refused(size):
    with pytest.raises(ValueError, match="cannot be made"):
        biohash.protect(np.ones(size, np.float32), key=KEY, name="n")


def test_a_hash_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1024 bits"):
        biohash.recover(np.zeros(4, np.uint8), key=KEY, name="n", size=512)


@pytest.mark.parametrize("epsilon", [0.1, 1, 8, 64, 512, 4096])
def test_sigma_and_epsilon_are_inverse(epsilon):
    assert epsilon_of(sigma_for(epsilon)) == pytest.approx(epsilon, rel=1e-6)


def test_more_noise_is_a_smaller_epsilon():
    found = [epsilon_of(sigma) for sigma in (0.02, 0.05, 0.1, 0.5, 2.0, 8.0)]
    assert found == sorted(found, reverse=True)


def test_for_small_epsilon_the_classical_bound_asks_for_more_noise():
    """Dwork and Roth, theorem A.1: sigma = sqrt(2 ln(1.25 / delta)) sensitivity / epsilon suffices below 1."""
    for epsilon in (0.1, 0.5, 0.99):
        classical = math.sqrt(2 * math.log(1.25 / DELTA)) * SENSITIVITY / epsilon
        assert 0.5 * classical < sigma_for(epsilon) < classical


def test_sampled_outputs_keep_the_promise():
    """The event that tells two worst vectors apart best, counted on samples, against e^epsilon and delta."""
    epsilon, draws = 2.0, 400_000
    sigma = sigma_for(epsilon)
    rng = np.random.default_rng(7)
    right, left = 1 + sigma * rng.normal(size=draws), -1 + sigma * rng.normal(size=draws)
    for edge in np.linspace(-2 * sigma, 2 * sigma, 9):
        assert (right > edge).mean() <= math.exp(epsilon) * (left > edge).mean() + DELTA + 0.002


def test_a_blurred_vector_has_length_one_and_moves_as_far_as_sigma_says():
    blurs = [blurred(unit(512), sigma=0.05, rng=np.random.default_rng(seed)) @ unit(512) for seed in range(30)]
    assert np.mean(blurs) == pytest.approx(1 / math.sqrt(1 + 512 * 0.05**2), abs=0.02)
    assert np.linalg.norm(blurred(unit(128), sigma=0.5, rng=np.random.default_rng(1))) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_no_noise_has_no_epsilon(bad):
    with pytest.raises(ValueError, match="above 0"):
        epsilon_of(bad)
    with pytest.raises(ValueError, match="above 0"):
        sigma_for(bad)
