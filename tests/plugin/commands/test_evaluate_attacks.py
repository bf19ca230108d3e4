"""`facestep evaluate attacks` with scripted outcomes; the simulator itself is tested in tests/simulator_tests."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from plugin.cli import main
from plugin.commands import evaluate_attacks
from tests.fixtures_cache import picture_path

pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    monkeypatch.setattr(evaluate_attacks, "LABORATORY", "tests.biometric.scripted_source")


def run(*arguments):
    return CliRunner().invoke(main, ["evaluate", "attacks", *map(str, arguments)])


def test_figures_go_to_the_terminal_a_file_and_a_page(tmp_path):
    out, report = tmp_path / "out.json", tmp_path / "report"
    result = run("--presentations", 6, "--genuine", 4, "--json", out, "--report", report)
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert figures["simulated"] is True
    assert {name: row["apcer"] and row["apcer"]["count"] for name, row in figures["attacks"].items()} == {
        "paper": 0,
        "film": 6,
        "mask": 2,
        "stranger": None,
    }
    assert figures["genuine"]["bpcer"]["count"] == 0
    assert "paper (simulated): 6" in result.output
    assert "APCER 33.3 % (4.3 to 77.7)" in result.output
    page = (report / "attacks.html").read_text()
    HTMLParser().feed(page)
    assert page.count("simulated") >= 6
    assert "33.3 % (4.3 to 77.7)" in page
    assert figures["measured"]["calibration"] in page
    assert figures["measured"]["fingerprint"][:12] in page
    tables = (report / "attacks.md").read_text()
    assert "| mask | 6 | 33.3 % (4.3 to 77.7) | 33.3 % (4.3 to 77.7) | 0.0 % (0.0 to 45.9) | planarity 4 |" in tables
    assert "| planarity | 6 | 6 | 6 | 100.0 % (54.1 to 100.0) |" not in tables
    assert "| stream | 0 | 6 | 2 | 0.0 % (0.0 to 60.2) |" in tables


def test_only_the_species_that_are_named_are_made(tmp_path):
    out = tmp_path / "out.json"
    assert run("--species", "mask", "--presentations", 2, "--genuine", 0, "--json", out).exit_code == 0
    figures = json.loads(out.read_text())
    assert (list(figures["attacks"]), figures["genuine"]["presentations"]) == (["mask"], 0)


def test_an_unknown_species_is_refused_with_those_there_are():
    result = run("--species", "hologram")
    assert result.exit_code == 2
    assert "no species hologram" in result.output
    assert "paper, film, mask, stranger" in result.output


def test_a_run_is_taken_up_where_it_was(tmp_path):
    journal, out = tmp_path / "run.jsonl", tmp_path / "out.json"
    assert run("--presentations", 2, "--genuine", 1, "--resume", journal).exit_code == 0
    before = journal.read_text()
    lines = before.splitlines()
    assert len(lines) == 1 + 4 * 2 + 1
    kept = [line.replace('"variant": "plain"', '"variant": "kept"') for line in lines[:6]]
    journal.write_text("".join(f"{line}\n" for line in kept))
    assert run("--presentations", 3, "--genuine", 1, "--resume", journal, "--json", out).exit_code == 0
    after = journal.read_text().splitlines()
    assert len(after) == 1 + 4 * 3 + 1
    assert sum('"variant": "kept"' in line for line in after) == 5
    assert json.loads(out.read_text())["attacks"]["paper"]["presentations"] == 3


def test_a_run_with_another_seed_is_not_mixed_in(tmp_path):
    journal = tmp_path / "run.jsonl"
    assert run("--presentations", 1, "--genuine", 0, "--resume", journal).exit_code == 0
    result = run("--presentations", 1, "--genuine", 0, "--resume", journal, "--seed", 2)
    assert result.exit_code == 2
    assert "facestep: journal_invalid:" in result.output


def test_without_the_simulator_one_line_says_where_it_is_to_be_had(monkeypatch):
    monkeypatch.setattr(evaluate_attacks, "LABORATORY", "tests.not_in_this_installation")
    result = run("--presentations", 1)
    assert result.exit_code == 2
    lines = [line for line in result.output.splitlines() if line.startswith("facestep: ")]
    assert len(lines) == 1
    assert lines[0].startswith("facestep: presentations_unavailable: tests.not_in_this_installation is not there")
    assert "checkout" in lines[0]


def test_a_report_that_cannot_be_written_is_noticed_first(tmp_path):
    result = run("--presentations", 1, "--json", tmp_path / "none" / "out.json")
    assert result.exit_code == 2
    assert "report_unwritable" in result.output


def test_real_clips_stand_beside_under_numbers_and_are_not_called_simulated(tmp_path):
    clip = tmp_path / "somebody"
    clip.mkdir()
    rng = np.random.default_rng(1)
    for number in range(8):
        cv2.imwrite(str(clip / f"{number}.png"), rng.integers(0, 255, (480, 640, 3), dtype=np.uint8))
    with (tmp_path / "clips.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(
            [
                ["clip", "reference", "label", "species", "steps"],
                ["somebody", "none.png", "genuine", "", "smile"],
                ["somebody", str(picture_path("astronaut")), "genuine", "", "smile"],
            ]
        )
    out, report = tmp_path / "out.json", tmp_path / "report"
    result = run("--presentations", 0, "--genuine", 0, "--clips", tmp_path, "--json", out, "--report", report)
    assert result.exit_code == 0, result.output
    clips = json.loads(out.read_text())["clips"]
    assert (clips["simulated"], clips["clips"][0]["clip"], clips["summary"]["genuine"]["refused"]) == (False, 1, 2)
    assert "clip 1 (smile): image_unreadable" in result.output
    page = (report / "attacks.html").read_text()
    assert "image_unreadable" in page
    assert "challenge:" in page
    assert "somebody" not in out.read_text() + result.output


@pytest.mark.parametrize("option", ["--clips", "--photos"])
def test_a_folder_that_holds_nothing_is_refused_before_anything_is_made(tmp_path, monkeypatch, option):
    monkeypatch.setattr(evaluate_attacks, "LABORATORY", "tests.simulator.laboratory")
    journal = tmp_path / "run.jsonl"
    result = run(option, tmp_path / "none", "--presentations", 1, "--resume", journal)
    assert result.exit_code == 2
    assert ("clips_invalid" if option == "--clips" else "photos_invalid") in result.output
    assert not journal.exists()
