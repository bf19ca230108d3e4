"""`facestep evaluate adversarial` and `facestep train agreement`: what they refuse, and what a report looks like."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from biometric.evaluation.adversarial_figures import attack_row, genuine_row, share
from biometric.evaluation.adversarial_logins import Login
from biometric.evaluation.adversarial_page import page
from plugin.cli import main
from plugin.commands.evaluate_adversarial import summary
from tests.biometric.agreements import detector, face, look

DETECTORS = ("difference of z-scores", "trained head")


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def report():
    """Two attacked pictures seen, one in which no face is found any more; the head catches one of them."""
    victim = face(1)
    logins = [Login((look(victim),), victim), Login((look(face(2)),), victim), None]
    yes = np.array([True, False, False])
    said = dict.fromkeys(("facenet_alone", "fused_score", "decision", "with_detector"), yes)
    alarms = dict.fromkeys(DETECTORS, np.array([2.0, 0.0]))
    row = {"attack": "<b>"} | attack_row(logins, said, alarms, dict.fromkeys(DETECTORS, 1.0))
    return {
        "pairs": 3,
        "epsilon_levels": 8.0,
        "steps": 2,
        "calibration": "c",
        "detector": "d",
        "genuine": genuine_row(said, {"another picture": [True, False, False, False]}),
        "attacks": {"a": row},
        "e": {"pairs": 3, "queries_each": 100, "queries": 300, "success": share(0, 3)},
    }


@pytest.mark.parametrize("command", [("evaluate", "adversarial"), ("train", "agreement", "--out", "made.json")])
def test_a_folder_that_is_not_there_is_one_clear_line(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*command, "--images", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "facestep: corpus_unusable: " in result.stderr
    assert "nowhere is not a folder" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--pairs", 0), ("--steps", 0), ("--people", 1), ("--images",)])
def test_nonsense_is_refused_before_anything_is_opened(words, tmp_path):
    assert run("evaluate", "adversarial", "--images", tmp_path, *words).exit_code == 2


@pytest.mark.models
def test_a_detector_of_other_models_is_refused(tmp_path):
    (tmp_path / "faces" / "somebody").mkdir(parents=True)
    (tmp_path / "faces" / "somebody" / "1.jpg").write_bytes(b"")
    (tmp_path / "agreement.json").write_text(detector().to_json())
    result = run("evaluate", "adversarial", "--images", tmp_path / "faces", "--detector", tmp_path / "agreement.json")
    assert result.exit_code == 2
    assert "facestep: calibration_mismatch: " in result.stderr


def test_a_row_counts_what_was_seen_and_what_was_not(report):
    row = report["attacks"]["a"]
    assert row["no_face_any_more"] == 1
    assert (row["accepted_by"]["decision"]["count"], row["accepted_by"]["decision"]["of"]) == (1, 3)
    assert row["caught_at_1_percent"]["trained head"]["of_all"]["value"] == 0.5
    assert row["caught_at_1_percent"]["trained head"]["of_those_the_decision_accepts"]["value"] == 1.0
    assert report["genuine"]["false_alarms_as_shipped"]["another picture"]["value"] == 0.25
    json.dumps(report)


def test_a_share_of_few_says_how_little_it_knows():
    assert share(0, 100)["high"] == pytest.approx(0.037, abs=0.001)
    assert share(100, 100)["low"] == pytest.approx(0.963, abs=0.001)
    assert (share(0, 0)["low"], share(0, 0)["high"]) == (0.0, 1.0)


def test_the_page_and_the_table_say_the_same(report):
    shown, text = page(report), summary(report)
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "33.3%" in shown
    assert "33.3%" in text
    assert "100 answers a pair" in text
