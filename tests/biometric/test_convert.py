"""How close a conversion is: the number that decides whether a converted model is used."""

from __future__ import annotations

import math

import numpy as np
import pytest

from biometric import fetch
from biometric.convert import least_cosine
from biometric.fetch import LEAST_COSINE, ConversionRefused, Fetcher
from biometric.models import ModelStore
from tests.biometric.test_fetch import downloads, lock
from tests.biometric.test_models import CONVERTED

__all__ = ["downloads", "lock"]

ALONG, ACROSS = [1.0, 0.0], [0.0, 1.0]


def rows(*vectors):
    return np.array(vectors, np.float32)


def turned(cosine):
    """A unit vector with this cosine to ALONG."""
    return [cosine, math.sqrt(1 - cosine * cosine)]


@pytest.mark.parametrize(
    ("left", "right", "cosine"),
    [
        (rows(ALONG), rows(ALONG), 1.0),
        (rows(ALONG), rows(ACROSS), 0.0),
        (rows(ALONG), rows([-1.0, 0.0]), -1.0),
        (rows([3.0, 4.0]), rows([4.0, 3.0]), 0.96),
        (rows(ALONG), rows(turned(0.999)), 0.999),
    ],
    ids=["same", "across", "opposite", "3-4-5", "just enough"],
)
def test_known_angles(left, right, cosine):
    assert least_cosine(left, right) == pytest.approx(cosine, abs=1e-6)


def test_length_does_not_count():
    assert least_cosine(rows([30.0, 40.0]), rows([0.4, 0.3])) == pytest.approx(0.96, abs=1e-6)


def test_the_worst_picture_decides_and_not_the_mean():
    expected = rows(*[ALONG] * 100)
    made = rows(*[ALONG] * 99, ACROSS)
    assert least_cosine(expected, made) == pytest.approx(0.0, abs=1e-6)
    assert least_cosine(expected[::-1], made[::-1]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("broken", [[0.0, 0.0], [float("nan"), 1.0]], ids=["zero", "not a number"])
def test_a_model_that_answers_nothing_is_not_close(broken):
    with np.errstate(invalid="ignore"):
        assert not least_cosine(rows(ALONG, ALONG), rows(ALONG, broken)) >= LEAST_COSINE


@pytest.fixture
def converting_to(tmp_path, lock, downloads, monkeypatch):
    """Return a function that fetches with a converter whose worst answer has this angle to TensorFlow's."""

    def fetch_with(worst):
        def convert(graph, made, crops, *, recipe):
            made.write_bytes(CONVERTED)
            measured = least_cosine(rows(ALONG, ALONG), rows(ALONG, worst))
            return {"tensorflow": "2.21.0", "least_cosine": measured}

        monkeypatch.setattr(fetch, "_convert", convert)
        monkeypatch.setattr(Fetcher, "_judging_crops", lambda *_: np.zeros((1, 2, 2, 3), np.float32))
        store = ModelStore(tmp_path / "models", lock=lock)
        Fetcher(store, downloads, report=lambda *_: None).fetch()
        return store

    return fetch_with


@pytest.mark.parametrize("worst", [turned(0.9989), ACROSS, [0.0, 0.0]], ids=["a little less", "across", "zero"])
def test_a_conversion_below_the_limit_is_refused_and_leaves_no_file(converting_to, tmp_path, worst):
    with np.errstate(invalid="ignore"), pytest.raises(ConversionRefused, match="least cosine to TensorFlow"):
        converting_to(worst)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["graph.pb"]


def test_a_conversion_above_the_limit_is_kept(converting_to):
    assert converting_to(turned(0.9991)).read("net") == CONVERTED


def test_the_limit_is_the_one_that_is_promised():
    assert LEAST_COSINE == 0.999
