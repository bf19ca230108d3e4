"""`facestep evaluate recognition` on a small folder with everything that can be wrong in it."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from biometric.embed import Embedder
from biometric.evaluation import calibrate
from plugin.cli import main
from tests.fixtures_cache import picture_path

pytestmark = pytest.mark.models


def run(*arguments):
    return CliRunner().invoke(main, ["evaluate", "recognition", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    filed = {
        "a": ("person_a_1", "person_a_2"),
        "b": ("person_b_1", "person_b_2"),
        "c": ("impostor_1",),
        "d": ("impostor_2",),
    }
    for person, names in filed.items():
        (tmp_path / "faces" / person).mkdir(parents=True)
        for name in names:
            shutil.copy(picture_path(name), tmp_path / "faces" / person / f"{name}.jpg")
    return tmp_path / "faces"


def test_two_people_twice_and_two_strangers_are_told_apart(folder, tmp_path):
    result = run("--images", folder, "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["counts"] == {
        "pictures": 6,
        "acquired": 6,
        "people": 4,
        "genuine_pairs": 2,
        "impostor_pairs": 13,
        "several_faces": 0,
    }
    assert report["failures_to_acquire"] == 0
    assert report["fused"]["eer"]["value"] == 0
    assert report["fused"]["fmr"]["value"] == 0
    assert report["fused"]["fnmr"]["value"] == 0
    assert report["fused"]["fmr"]["high"] > 0.1  # 13 pairs of four people prove little, and the interval says so


def test_what_gives_no_face_is_a_failure_to_acquire(folder, tmp_path):
    (folder / "c" / "empty.jpg").write_bytes(b"")
    whole = (folder / "d" / "impostor_2.jpg").read_bytes()
    (folder / "d" / "half.jpg").write_bytes(whole[:9000])
    cv2.imwrite(str(folder / "c" / "grey.jpg"), np.full((200, 200, 3), 127, np.uint8))
    (folder / "notes.txt").write_text("not a person")
    assert run("--images", folder, "--json", tmp_path / "out.json").exit_code == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["failures_to_acquire"] == 3
    assert report["failures_by_code"] == {"image_unreadable": 2, "no_face": 1}
    assert report["counts"]["acquired"] == 6


@pytest.mark.parametrize("kind", ["missing", "empty", "one person", "one picture each"])
def test_a_folder_without_pairs_is_one_clear_line(folder, tmp_path, kind):
    images = folder
    if kind == "missing":
        images = tmp_path / "nowhere"
    elif kind == "empty":
        images = tmp_path / "none"
        images.mkdir()
    elif kind == "one person":
        for person in "bcd":
            shutil.rmtree(folder / person)
    else:
        (folder / "a" / "person_a_2.jpg").unlink()
        (folder / "b" / "person_b_2.jpg").unlink()
    result = run("--images", images, "--json", tmp_path / "out.json")
    assert result.exit_code == 2
    assert "facestep: corpus_unusable: " in result.stderr
    assert not (tmp_path / "out.json").exists()


def test_nothing_is_left_behind_but_the_report(folder, tmp_path):
    run("--images", folder, "--json", tmp_path / "out.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces", "out.json"]


def test_the_halves_are_those_of_calibrate(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "in_choosing_half", lambda person: person in "ac")
    seen = {}
    for people in ("choosing", "reporting"):
        run("--images", folder, "--people", people, "--json", tmp_path / "out.json")
        seen[people] = json.loads((tmp_path / "out.json").read_text())["counts"]
    assert [(one["people"], one["acquired"], one["genuine_pairs"]) for one in seen.values()] == [(2, 3, 1), (2, 3, 1)]


def test_at_most_so_many_usable_pictures_of_a_person_are_looked_at(folder, tmp_path):
    (folder / "a" / "0.jpg").write_bytes(b"no picture, so it does not count")
    shutil.copy(picture_path("person_a_1"), folder / "a" / "person_a_3.jpg")
    assert run("--images", folder, "--most", 2, "--json", tmp_path / "out.json").exit_code == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["counts"]["pictures"], report["counts"]["acquired"]) == (7, 6)
    assert report["failures_to_acquire"] == 1


def test_it_asks_where_the_figures_should_go(folder):
    result = run("--images", folder)
    assert result.exit_code == 2
    assert "--json FILE, --report DIR, or both" in result.stderr


def test_a_second_run_with_a_cache_says_the_same_without_a_look(folder, tmp_path, monkeypatch):
    cache = ("--cache", tmp_path / "cache")
    assert run("--images", folder, "--json", tmp_path / "first.json", *cache).exit_code == 0
    monkeypatch.setattr(Embedder, "embed", lambda *_: pytest.fail("it looked again"))
    assert run("--images", folder, "--json", tmp_path / "second.json", *cache).exit_code == 0
    assert (tmp_path / "first.json").read_text() == (tmp_path / "second.json").read_text()


def test_a_report_is_a_page_with_groups_and_without_paths_of_this_machine(folder, tmp_path):
    groups = tmp_path / "groups.csv"
    groups.write_text("folder,kind\na,x\nb,x\nc,y\nd,y\n")
    page = tmp_path / "report"
    result = run("--images", folder, "--report", page, "--groups", groups, "--cache", tmp_path / "cache")
    assert result.exit_code == 0, result.output
    text = (page / "index.html").read_text()
    assert "Groups of people" in text
    assert str(tmp_path / "cache") not in text
    (page / "index.html").unlink()
    (page / "report.json").unlink()
    (page / "mine.txt").write_text("-")
    assert "holds something else" in run("--images", folder, "--report", page).stderr
