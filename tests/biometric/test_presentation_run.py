"""A run of presentations: written down one by one, taken up again, in one process or several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from biometric.evaluation.presentation_run import (
    Journal,
    JournalInvalid,
    PresentationFailed,
    SourceMissing,
    SourceSpec,
    missing,
    run,
)
from tests.biometric.scripted_source import outcome

SCRIPTED = "tests.biometric.scripted_source"
TASKS = [(species, number) for number in range(3) for species in ("paper", "mask")]


def journal(path, fingerprint="one"):
    return Journal(path, fingerprint=fingerprint)


def test_a_journal_gives_back_what_was_written(tmp_path):
    path = tmp_path / "run.jsonl"
    assert journal(path).read() == []
    journal(path).add(outcome("paper", 1))
    journal(path).add(outcome("mask", 2))
    assert journal(path).read() == [outcome("paper", 1), outcome("mask", 2)]


def test_a_line_that_was_cut_off_is_made_again(tmp_path):
    path = tmp_path / "run.jsonl"
    journal(path).read()
    journal(path).add(outcome("paper", 1))
    journal(path).add(outcome("paper", 2))
    path.write_text(path.read_text()[:-30])
    assert journal(path).read() == [outcome("paper", 1)]
    journal(path).add(outcome("paper", 2))
    assert journal(path).read() == [outcome("paper", 1), outcome("paper", 2)]


@pytest.mark.parametrize(
    "content",
    [
        "no journal\n",
        '{"format": 1, "fingerprint": "other"}\n',
        '{"format": 1, "fingerprint": "one"}\n{"species": 1}\n',
    ],
)
def test_a_journal_of_another_run_and_what_is_none_are_refused(tmp_path, content):
    path = tmp_path / "run.jsonl"
    path.write_text(content)
    with pytest.raises(JournalInvalid):
        journal(path).read()
    assert path.read_text() == content


def test_what_is_there_is_not_made_again_and_people_come_one_after_another():
    assert missing(TASKS, [outcome("mask", 0), outcome("paper", 2)]) == [
        *(("paper", 0), ("paper", 1), ("mask", 1), ("mask", 2)),
    ]


def test_a_simulator_that_is_not_there_is_named():
    with pytest.raises(SourceMissing, match=r"tests\.nothing_here .*checkout"):
        SourceSpec("tests.nothing_here", {}).open()


def test_something_that_a_simulator_lacks_is_not_taken_for_the_simulator(tmp_path, monkeypatch):
    (tmp_path / "lame_source.py").write_text("import surely_not_installed\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="surely_not_installed"):
        SourceSpec("lame_source", {}).open()


@pytest.mark.models
@pytest.mark.parametrize("jobs", [1, 2])
def test_all_presentations_are_made_once(models_dir, jobs):
    made = []
    run(TASKS, SourceSpec(SCRIPTED, {"seed": 1}), models_dir=models_dir, jobs=jobs, done=made.append)
    assert sorted((one.species, one.number) for one in made) == sorted(TASKS)
    assert {one.number for one in made if one.species == "mask" and one.accepted()} == {0}


@pytest.mark.models
@pytest.mark.parametrize(("mishap", "told"), [("raises", "the lamp fell over"), ("dies", "died")])
def test_what_goes_wrong_in_another_process_ends_the_run(models_dir, mishap, told):
    spec = SourceSpec(SCRIPTED, {"mishap": mishap})
    with pytest.raises(PresentationFailed, match=told):
        run(TASKS, spec, models_dir=models_dir, jobs=2, done=lambda _: None)


HANGING = """
import sys
from pathlib import Path
from biometric.evaluation.presentation_run import SourceSpec, run
if __name__ == "__main__":
    spec = SourceSpec("tests.biometric.scripted_source", {"mishap": "hangs", "photos": sys.argv[1]})
    run([("paper", number) for number in range(4)], spec, models_dir=Path(sys.argv[2]), jobs=2, done=print)
"""


def until(seen, seconds=60):
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.1)


def runs(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.models
def test_processes_of_a_run_that_is_killed_end_too(tmp_path, models_dir):
    (tmp_path / "hanging.py").write_text(HANGING)
    pids = tmp_path / "pids"
    pids.mkdir()
    whole = subprocess.Popen([sys.executable, tmp_path / "hanging.py", pids, models_dir])
    try:
        until(lambda: len(list(pids.iterdir())) == 2)
    finally:
        whole.kill()
        whole.wait()
    left = [int(one.name) for one in pids.iterdir()]
    try:
        until(lambda: not any(runs(pid) for pid in left))
    finally:
        for pid in filter(runs, left):
            os.kill(pid, signal.SIGKILL)


def test_a_journal_is_plain_json(tmp_path):
    path = tmp_path / "run.jsonl"
    journal(path).read()
    journal(path).add(outcome("paper", 1))
    assert [set(json.loads(line)) >= {"species", "votes"} for line in path.read_text().splitlines()] == [False, True]
