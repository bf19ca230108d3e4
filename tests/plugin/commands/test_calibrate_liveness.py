"""`facestep calibrate liveness` with numbers that are written down; the simulator itself is tested elsewhere."""

from __future__ import annotations

import json

import cv2
import pytest
from click.testing import CliRunner

from biometric import limits
from biometric.errors import LimitsMismatch
from plugin.cli import main
from plugin.commands import liveness_courses
from tests.biometric import measured_source
from tests.fixtures_cache import load_picture

pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    monkeypatch.setattr(liveness_courses, "LABORATORY", "tests.biometric.measured_source")


def run(*arguments):
    return CliRunner().invoke(main, ["calibrate", "liveness", *map(str, arguments)])


def test_limits_are_written_with_what_speaks_for_each_and_can_be_read(tmp_path):
    out = tmp_path / "liveness.json"
    result = run("--presentations", 8, "--genuine", 12, "--out", out)
    assert result.exit_code == 0, result.output
    table = json.loads(out.read_text())
    assert limits.read(out).id == table["id"]
    assert table["command"] == "facestep calibrate liveness --presentations 8 --genuine 12 --seed 1"
    assert (table["simulated"], table["quick"], table["people"], table["films"]) == (True, False, 12, 0)
    relief = table["limits"]["colour.relief"]
    assert relief["value"] == limits.shipped().colour.relief
    assert relief["measured"]["people (simulated)"]["n"] == 12
    assert relief["measured"]["flat_print"]["n"] == 8
    assert relief["measured"]["flat_print"]["quantiles"]["0.5"] == pytest.approx(0.05, rel=0.02)
    assert table["limits"]["still.least_light"]["how"] == "not measured"
    assert table["cost"]["genuine"] == {"presentations": 12, "accepted_before": 12, "accepted": 12}
    assert table["cost"]["phone_replay"]["accepted"] == 0
    assert "genuine (simulated): liveness accepts 12 of 12" in result.output
    assert f"limits {table['id']} written to" in result.output


def test_a_quick_measurement_says_so_and_is_believed_nowhere(tmp_path):
    out = tmp_path / "quick.json"
    result = run("--quick", "--out", out)
    assert result.exit_code == 0, result.output
    assert "a quick measurement, which no start believes" in result.output
    assert json.loads(out.read_text())["command"].endswith("--quick")
    with pytest.raises(LimitsMismatch, match="quick"):
        limits.read(out)


def test_a_limit_that_attacks_pass_moves_and_both_values_are_told(tmp_path, monkeypatch):
    colour = measured_source.ATTACKS["colour"] | {"relief": 0.4}
    monkeypatch.setitem(measured_source.ATTACKS, "colour", colour)
    out = tmp_path / "liveness.json"
    result = run("--presentations", 20, "--genuine", 100, "--json", "--out", out)
    assert result.exit_code == 0, result.output
    relief = json.loads(result.stdout)["limits"]["colour.relief"]
    assert relief["before"] == limits.shipped().colour.relief
    assert relief["value"] == pytest.approx(0.41, abs=0.01)
    assert relief["how"].startswith("moved up")
    assert json.loads(out.read_text()) == json.loads(result.stdout)


def test_a_run_is_taken_up_where_it_was_course_by_course(tmp_path, monkeypatch):
    journals, out = tmp_path / "journals", tmp_path / "liveness.json"
    arguments = ("--presentations", 8, "--genuine", 8, "--resume", journals, "--out", out)
    assert run(*arguments).exit_code == 0
    assert sorted(path.name for path in journals.iterdir()) == ["full.jsonl", "near.jsonl", "slow.jsonl", "turn.jsonl"]
    first = json.loads(out.read_text())

    def never(*_, **__):
        raise AssertionError("made twice")

    monkeypatch.setattr(measured_source.Measured, "present", never)
    again = run(*arguments)
    assert again.exit_code == 0, again.output
    assert json.loads(out.read_text())["limits"] == first["limits"]
    other = run("--presentations", 8, "--genuine", 8, "--seed", 2, "--resume", journals, "--out", out)
    assert "journal_invalid" in other.stderr


def test_too_few_presentations_are_refused(tmp_path):
    assert "8<=x" in run("--presentations", 3, "--out", tmp_path / "x.json").output.replace("x>=8", "8<=x")


@pytest.mark.parametrize("arguments", [["--help"], ["recognition", "--help"], ["-h"]])
def test_calibrate_alone_is_still_about_the_recognisers_and_names_the_other_part(arguments):
    shown = CliRunner().invoke(main, ["calibrate", *arguments])
    assert shown.exit_code == 0
    assert "--enrolled" in shown.output
    assert "facestep calibrate liveness" in shown.output


def test_pictures_of_people_at_a_camera_count_for_the_quality_gate_and_for_what_stands_around_them(tmp_path):
    faces, out = tmp_path / "faces", tmp_path / "liveness.json"
    faces.mkdir()
    cv2.imwrite(str(faces / "one.png"), load_picture("person_a_1"))
    result = run("--presentations", 8, "--genuine", 8, "--webcam", faces, "--out", out)
    assert result.exit_code == 0, result.output
    chosen = json.loads(out.read_text())["limits"]
    assert chosen["surface.bezel"]["measured"]["people (pictures)"]["n"] == 1
    assert chosen["live.least_light"]["measured"]["live 1"]["n"] == 1


def test_a_folder_without_pictures_is_told_before_anything_takes_long(tmp_path, monkeypatch):
    monkeypatch.setattr(measured_source.Measured, "present", lambda *_, **__: pytest.fail("it began"))
    refused = run("--webcam", tmp_path / "none", "--out", tmp_path / "x.json")
    assert refused.exit_code == 2
    assert "holds no picture" in refused.output
