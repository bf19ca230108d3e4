"""`facestep evaluate texture` and the checks of `facestep train texture`, on drawn people."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from click.testing import CliRunner

from biometric.texture import RECORD, TextureSpec
from plugin.cli import main
from tests.biometric.training.drawn import draw_people

WEIGHTS = files("biometric") / "weights"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.models
def test_nets_stand_side_by_side_on_the_people_of_a_fold(tmp_path):
    data = draw_people(tmp_path / "data")
    record, file = WEIGHTS / RECORD, WEIGHTS / "texture.tflite"
    spec = TextureSpec.from_json(record.read_text(encoding="utf-8"))
    other = tmp_path / "other.json"
    other.write_text(record.read_text(encoding="utf-8").replace('"name": "texture"', '"name": "other"'))
    out, page = tmp_path / "out.json", tmp_path / "out.md"
    done = run("evaluate", "texture", "--data", data, "--json", out, "--net", other, file, "--report", page)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert set(report["nets"]) == {"texture", "other"}
    ours = report["nets"]["texture"]
    rows = {row["species"]: row for row in ours["species"]}
    assert (rows["nuaa live"]["rate"], rows["nuaa print"]["rate"]) == ("BPCER", "APCER")
    assert rows["nuaa live"]["people"] == 2  # a third of six
    assert ours["deny_at"] == spec.deny_at
    assert ours["species"] == report["nets"]["other"]["species"]
    assert page.read_text().count("| nuaa print (APCER)") == 1


@pytest.mark.models
def test_a_net_that_is_not_its_record_s_is_refused(tmp_path):
    (tmp_path / "net.tflite").write_bytes(b"something else")
    arguments = ("--net", WEIGHTS / RECORD, tmp_path / "net.tflite", "--json", tmp_path / "o.json")
    done = run("evaluate", "texture", "--data", draw_people(tmp_path / "data", people=1), *arguments)
    assert (done.exit_code, done.stderr.split(":")[1].strip()) == (2, "model_digest_mismatch")


def test_a_folder_that_cannot_be_written_is_noticed_before_training(tmp_path):
    (tmp_path / "file").touch()
    done = run("train", "texture", "--data", tmp_path, "--out", tmp_path / "file" / "net")
    assert (done.exit_code, done.stderr.split(":")[1].strip()) == (2, "report_unwritable")
