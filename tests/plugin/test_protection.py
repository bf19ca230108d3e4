"""The measurements of `facestep evaluate protection`, on made-up faces whose answers are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from biometric.evaluation.corpus import Corpus
from plugin.commands.evaluate_protection import summary
from plugin.commands.protection_page import write_page
from plugin.protection import report as reports
from plugin.protection.accuracy import measure
from plugin.protection.reconstruction import attack
from plugin.protection.records import Issuer, kept, noisy, opened
from plugin.protection.report import protection_report
from plugin.protection.unlinkability import d_sys, linkability, linking_scores
from tests.plugin.factors.scripted import calibration
from vault import biohash, transform

RNG = np.random.default_rng


def units(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def corpus():
    """60 people with three pictures each that are 0.8 alike (simulated)."""
    people, each = 60, 3
    rng = RNG(3)

    def pictures(size):
        own = np.repeat(units(rng.normal(size=(people, size))), each, axis=0)
        return units(own + 0.5 * units(rng.normal(size=(people * each, size))))

    return Corpus(
        people=tuple(f"p{number}" for number in range(people)),
        person=np.repeat(np.arange(people, dtype=np.int32), each),
        facenet=pictures(512),
        sface=pictures(128),
        pictures=people * each,
        failures={},
        several_faces=0,
    )


def test_a_rotation_changes_no_decision(corpus):
    through = opened(corpus, version=transform.VERSION, issuer=Issuer("one"))
    found = measure(through, corpus, calibration())
    assert found.other_decisions == 0
    assert (found.genuine, found.impostor) == (60 * 3 * 2, 180 * 177)
    assert (found.fnmr, found.tar_at_fmr_1e_3) == (0.0, 1.0)


def test_what_a_protection_destroys_is_seen(corpus):
    """References of other faces: everybody is refused."""
    gone = noisy(corpus, sigma=10.0, seed=1)
    found = measure(gone, corpus, calibration())
    assert found.fnmr > 0.99
    assert found.tar_at_fmr_1e_3 < 0.1
    assert found.other_decisions > 300


def test_d_sys_is_near_its_floor_for_one_distribution_and_near_one_for_two():
    rng = RNG(1)
    mated, not_mated = rng.normal(size=4000), rng.normal(size=40_000)
    same = linkability(mated, not_mated, rng=rng)
    assert same.d_sys <= same.floor_high * 1.5
    assert 0.005 < same.floor < 0.04
    assert d_sys(mated + 10, not_mated) > 0.97  # the bin that both share counts less


def test_d_sys_of_two_known_distributions():
    """Two uniform ones that half overlap: LR is infinite on half of the mated scores and 1 on the other half."""
    rng = RNG(2)
    assert d_sys(rng.uniform(0.5, 1.5, 200_000), rng.uniform(0, 1, 200_000)) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("version", [transform.VERSION, biohash.VERSION])
def test_two_issuers_cannot_be_linked_and_one_key_can(corpus, version):
    def scores(left, right):
        one, other = (kept(corpus.facenet, model="facenet", version=version, issuer=issuer) for issuer in (left, right))
        return linking_scores(one, other)["cosine"], linking_scores(one, np.roll(other, 3, axis=0))["cosine"]

    linked = d_sys(*scores(Issuer("a", one_key_for_all=True), Issuer("a", one_key_for_all=True)))
    apart_mated, apart = scores(Issuer("a"), Issuer("b"))
    assert linked > 0.99
    assert abs(float(apart_mated.mean() - apart.mean())) < 4 * float(apart.std()) / np.sqrt(len(apart))


def test_the_attack_finds_the_face_when_all_share_a_key_and_not_when_they_do_not():
    rng = RNG(4)
    basis = rng.normal(size=(40, 512))
    faces = units(rng.normal(size=(700, 40)) @ basis)
    shared, own = (
        kept(faces, model="facenet", version=transform.VERSION, issuer=Issuer("a", one_key_for_all=is_shared))
        for is_shared in (True, False)
    )
    found, made = attack(shared[:500], faces[:500], shared[500:], faces[500:])
    assert found.cosine > 0.99
    assert made.whole.shape == (200, 512)
    missed, _ = attack(own[:500], faces[:500], own[500:], faces[500:])
    assert abs(missed.cosine) < 0.1


def test_the_mean_face_is_not_counted_as_a_gain():
    """Faces that all look alike: the attack without a key knows the mean, and the figure says that it knows no more."""
    rng = RNG(5)
    faces = units(rng.normal(size=(400, 128)) / 10 + 1)
    table = kept(faces, model="sface", version=transform.VERSION, issuer=Issuer("a"))
    found, _ = attack(table[:300], faces[:300], table[300:], faces[300:])
    assert found.cosine_mean_face > 0.9
    assert found.cosine_whole > 0.9
    assert abs(found.cosine) < 0.2


def test_the_whole_report_is_made_and_read(corpus, monkeypatch, tmp_path):
    monkeypatch.setattr(reports, "NOT_MATED", 4000)
    monkeypatch.setattr(reports, "EPSILONS", (8, 512))
    monkeypatch.setattr(reports, "SIGMAS", (0.01,))
    monkeypatch.setattr(reports, "KNOWN_PAIRS", (16, 64))
    stages = []
    found = protection_report(
        corpus, calibration(), report=lambda stage, done, total: stages.append((stage, done, total))
    )
    assert json.loads(json.dumps(found)) == found
    assert set(found["schemes"]) == {"rotation", "biohash"}
    assert found["schemes"]["rotation"]["accuracy"]["other_decisions"] == 0
    own = found["schemes"]["rotation"]["reconstruction"]
    assert abs(own["key_per_record"]["facenet"]["cosine"]) < 0.15
    assert [round(row["epsilon"]) for row in found["noise"]][1:] == [512, 8]
    assert {done for stage, done, total in stages if done == total}
    assert "epsilon 512" in summary(found)
    write_page(tmp_path / "page.html", found, title="made-up people")
    page = (tmp_path / "page.html").read_text()
    assert "made-up people" in page
    assert "<script" not in page
