"""The list of `facestep evaluate ceremony` is understood as a whole before a clip is played, or refused."""

from __future__ import annotations

import csv

import pytest
from click.testing import CliRunner

from plugin.cli import main
from plugin.commands.clip_list import COLUMNS, ClipListError, read_rows

GOOD = ["a.mp4", "a.png", "genuine", "", "smile"]


def write_list(path, rows, columns=COLUMNS):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


@pytest.fixture
def listed(tmp_path):
    return lambda *rows, columns=COLUMNS: write_list(tmp_path / "list.csv", rows, columns)


def test_paths_are_looked_for_beside_the_list(listed, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    row, other = read_rows(listed(GOOD, ["b", "/r.png", "Attack", "print", "blink:2 turn_left"]))
    assert row.clip_path == tmp_path / "a.mp4"
    assert str(other.reference_path) == "/r.png"
    assert [(one.label, one.species) for one in (row, other)] == [("genuine", ""), ("attack", "print")]


def test_columns_may_stand_in_any_order_with_a_byte_order_mark_and_without_species(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("\ufeffsteps, Clip ,label,reference\nsmile,a,genuine,b\n\n", encoding="utf-8")
    (row,) = read_rows(path)
    assert (row.clip, row.steps, row.species) == ("a", "smile", "")


@pytest.mark.parametrize("label", ["genuin", "live?", "0", "spoof"])
def test_an_unknown_label_is_refused_and_never_becomes_an_attack(listed, label):
    with pytest.raises(ClipListError, match=rf"line 3: unknown label '{label}'".replace("?", r"\?")):
        read_rows(listed(GOOD, ["b", "r", label, "", "smile"]))


@pytest.mark.parametrize("empty", [0, 1, 2, 4])
def test_a_row_without_a_needed_cell_is_refused(listed, empty):
    with pytest.raises(ClipListError, match=f"line 2: no {COLUMNS[empty]}"):
        read_rows(listed([cell if number != empty else " " for number, cell in enumerate(GOOD)]))


@pytest.mark.parametrize("steps", ["dance", "smile;dance", "blink:99", ";"])
def test_unknown_steps_are_refused(listed, steps):
    with pytest.raises(ClipListError, match="line 2: steps"):
        read_rows(listed([*GOOD[:4], steps]))


@pytest.mark.parametrize("missing", ["clip", "reference", "label", "steps"])
def test_a_missing_column_is_named(listed, missing):
    with pytest.raises(ClipListError, match=f"no column '{missing}'"):
        read_rows(listed(columns=[name for name in COLUMNS if name != missing]))


def test_an_unknown_or_doubled_column_is_named(listed):
    with pytest.raises(ClipListError, match="unknown column 'speces'"):
        read_rows(listed([*GOOD, ""], columns=(*COLUMNS, "speces")))
    with pytest.raises(ClipListError, match="'steps' twice"):
        read_rows(listed([*GOOD, ""], columns=(*COLUMNS, "steps")))


def test_more_cells_than_columns_are_refused(listed):
    with pytest.raises(ClipListError, match="6 cells under 5 columns"):
        read_rows(listed([*GOOD, "more"]))


def test_a_list_that_holds_nothing_or_cannot_be_read_is_refused(listed, tmp_path):
    with pytest.raises(ClipListError, match="holds no clip"):
        read_rows(listed())
    with pytest.raises(ClipListError, match="cannot be read"):
        read_rows(tmp_path / "none.csv")


def test_the_command_says_it_in_one_line_before_it_opens_a_model(listed, tmp_path):
    words = ["--clips", listed(["b", "r", "unsure", "", "smile"]), "--json", tmp_path / "out.json"]
    done = CliRunner().invoke(main, ["evaluate", "ceremony", *map(str, words), "--models-dir", "/nowhere"])
    assert done.exit_code == 2
    assert done.stderr.startswith("facestep: clips_invalid: ")
    assert "it must be genuine or attack; mend the list" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.json").exists()
