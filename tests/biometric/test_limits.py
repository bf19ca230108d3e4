"""weights/liveness.json: whole, unchanged, of these models and this way of measuring, or nothing is decided."""

from __future__ import annotations

import json
from dataclasses import fields
from importlib.resources import files
from types import SimpleNamespace

import pytest

from biometric import limits
from biometric.calibration import record_digest
from biometric.errors import LimitsMismatch

SHIPPED = json.loads((files("biometric") / "weights" / "liveness.json").read_text())


def written(tmp_path, edit=lambda _: None, *, signed=True):
    table = json.loads(json.dumps(SHIPPED))
    edit(table)
    if signed:
        table["id"] = record_digest(table)
    path = tmp_path / "liveness.json"
    path.write_text(json.dumps(table))
    return path


def store(**models):
    in_use = {name: SHIPPED["models"][name] for name in limits.BOUND_MODELS} | models
    return SimpleNamespace(digests=lambda: in_use)


def test_the_shipped_file_is_whole_says_what_it_was_measured_on_and_is_no_quick_one(tmp_path):
    found = limits.read(written(tmp_path, signed=False))
    assert limits.values_of(found) == {name: entry["value"] for name, entry in SHIPPED["limits"].items()}
    assert SHIPPED["simulated"] is True
    assert SHIPPED["command"].startswith("facestep calibrate liveness")
    assert SHIPPED["commit"]
    for name, entry in SHIPPED["limits"].items():
        assert entry["how"], name
        assert entry["measured"], name
        assert all(one["n"] > 0 and one["quantiles"] for one in entry["measured"].values())
    found.check_models(store())


def test_every_limit_has_ends_that_mean_something():
    assert set(limits.POSSIBLE) == set(limits.NAMES)
    assert all(low < high for low, high in limits.POSSIBLE.values())
    assert len(limits.NAMES) == sum(len(fields(kind)) for kind in limits.PARTS.values())


def change(table):
    table["limits"]["planarity.round"]["value"] = 0.31


def quick(table):
    table["quick"] = True


def other_measures(table):
    table["measures"] = "by eye"


def without_one(table):
    del table["limits"]["colour.behind"]


def one_more(table):
    table["limits"]["colour.mood"] = {"value": 1}


@pytest.mark.parametrize(
    ("edit", "signed", "why"),
    [
        (change, False, "edited"),
        (quick, True, "quick"),
        (other_measures, True, "by eye"),
        (without_one, True, "colour.behind"),
        (one_more, True, "colour.mood"),
        (lambda table: table.pop("limits"), True, "cannot be read"),
        (lambda table: table["limits"]["colour.relief"].update(value="0.2"), True, "colour.relief is '0.2'"),
        (lambda table: table["limits"]["colour.relief"].update(value=True), True, "colour.relief is True"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused(tmp_path, edit, signed, why):
    with pytest.raises(LimitsMismatch, match=why):
        limits.read(written(tmp_path, edit, signed=signed))


@pytest.mark.parametrize("name", limits.NAMES)
@pytest.mark.parametrize("end", [0, 1])
def test_a_limit_that_would_switch_its_cue_off_is_refused_even_if_it_is_signed(tmp_path, name, end):
    beyond = limits.POSSIBLE[name][end] + (1e-6 if end else -1e-6)
    with pytest.raises(LimitsMismatch, match=name.replace(".", r"\.")):
        limits.read(written(tmp_path, lambda table: table["limits"][name].update(value=beyond)))


def test_no_number_missing_and_no_json_are_refused(tmp_path):
    path = written(tmp_path)
    path.write_text(path.read_text().replace('"value": 0.8', '"value": NaN', 1))
    with pytest.raises(LimitsMismatch, match="NaN"):
        limits.read(path)
    path.write_text("{")
    with pytest.raises(LimitsMismatch, match="cannot be read"):
        limits.read(path)
    path.unlink()
    with pytest.raises(LimitsMismatch, match="cannot be read"):
        limits.read(path)


@pytest.mark.parametrize("name", [*limits.BOUND_MODELS, "texture"])
def test_limits_of_other_model_files_are_refused(tmp_path, name):
    found = limits.read(written(tmp_path, lambda table: table["models"].update({name: "0" * 64})))
    with pytest.raises(LimitsMismatch, match=name):
        found.check_models(store())
