"""A report that cannot be written is noticed before the work, and noticing changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from plugin.cli import main
from plugin.commands.reports import UNWRITABLE, writable, write_json
from plugin.errors import ServiceError

WRITERS = [
    ["evaluate", "recognition", "--images", "faces", "--json"],
    ["evaluate", "ceremony", "--clips", "clips.csv", "--json"],
    ["bench", "face", "--json"],
    ["bench", "factor", "--json"],
    ["bench", "login", "--json"],
    ["calibrate", "--images", "faces", "--data", "none", "--out"],
]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def looked_at(name, **parsing):
    return writable(click.Context(click.Command("x"), **parsing), click.Option(["--json"]), Path(name))


def unwritable(words, target):
    done = CliRunner().invoke(main, [*words, str(target), "--models-dir", "nowhere"])
    assert done.stderr.startswith(f"facestep: {UNWRITABLE}: {target}: "), done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.exit_code == 2


@pytest.mark.parametrize("words", WRITERS, ids=lambda words: " ".join(words[:2]))
def test_a_folder_that_is_not_there_and_a_folder_in_place_of_a_file_are_noticed_first(words, tmp_path):
    assert unwritable(words, "no/such/folder/out.json")
    assert unwritable(words, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_is_noticed(tmp_path):
    (tmp_path / "file").write_text("x")
    assert unwritable(WRITERS[0], "file/out.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_and_a_file_without_permission_are_noticed(tmp_path):
    (tmp_path / "out.json").write_text("old")
    (tmp_path / "out.json").chmod(0o400)
    assert unwritable(WRITERS[0], "out.json")
    tmp_path.chmod(0o500)
    try:
        assert unwritable(WRITERS[0], "new.json")
    finally:
        tmp_path.chmod(0o700)


def test_looking_neither_makes_nor_empties_a_file(tmp_path):
    (tmp_path / "old.json").write_text("kept")
    for name in ("old.json", "new.json"):
        assert looked_at(name) == Path(name)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("old.json", "kept")]


def test_a_device_is_taken_as_it_is():
    write_json(looked_at(os.devnull), {"a": 1})


def test_a_word_that_the_shell_completes_is_not_judged():
    assert looked_at("no/such", resilient_parsing=True) == Path("no/such")


def test_a_folder_that_goes_away_meanwhile_is_the_same_error(tmp_path):
    write_json(tmp_path / "out.json", {"a": 1})
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1}
    with pytest.raises(ServiceError) as refused:
        write_json(tmp_path / "gone" / "out.json", {"a": 1})
    assert refused.value.code == UNWRITABLE
