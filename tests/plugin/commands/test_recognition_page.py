"""The page of a recognition report: whole, self-contained, and never over something else."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest

from biometric.calibration import Calibration, ModelCalibration
from biometric.evaluation.plots import PlotsUnavailable
from biometric.evaluation.recognition import plots, recognition_report
from plugin.commands import recognition_page
from plugin.commands.recognition_page import share
from plugin.errors import ServiceError
from tests.biometric.test_evaluation import made_corpus


@pytest.fixture(scope="module")
def made():
    facenet = ModelCalibration(mean=0.0, deviation=0.25, floor=0.4, weight=0.35)
    sface = ModelCalibration(mean=0.0, deviation=0.2, floor=0.35, weight=0.65)
    calibration = Calibration("c0ffee", "f", {}, facenet, sface, fused_threshold=2.5, evidence={})
    corpus = made_corpus(noise=0.2)
    group_of = {name: "<b>even" if int(name[-3:]) % 2 == 0 else "odd" for name in corpus.people}
    report = recognition_report(corpus, calibration, traits={"kind": group_of})
    return report, plots(corpus, calibration, report)


@pytest.fixture
def page(made, tmp_path):
    folder = tmp_path / "report"
    recognition_page.require(folder)
    recognition_page.write(
        folder, made[0], plots=made[1], title="made-up", command="facestep evaluate recognition", made_on="2026-01-01"
    )
    return folder


def test_the_page_holds_every_figure_and_both_plots(page, made):
    text = (page / "index.html").read_text()
    assert text.count("<svg") == 2
    for row in made[0]["rules"]:
        assert row["rule"].replace("'", "&#39;") in text
        assert share(row["fnmr"]["value"]) in text
    assert "c0ffee" in text
    assert "person 0" not in text  # no name of anybody
    assert "Several frames" in text
    assert "&lt;b&gt;even" in text


def test_a_report_without_groups_is_a_page_too(made, tmp_path):
    report = {name: part for name, part in made[0].items() if name != "groups"}
    said = {"title": "-", "command": "-", "made_on": "-"}
    text = recognition_page.write(tmp_path, report, plots=made[1], **said).read_text()
    assert "Groups of people" not in text


def test_the_page_asks_nobody_for_anything(page):
    text = (page / "index.html").read_text()
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*", text)
    assert "@import" not in text
    assert "url(http" not in text


def test_the_same_report_draws_the_same_plots(made):
    corpus = made_corpus(noise=0.2)
    calibration = Calibration(
        "c0ffee",
        "f",
        {},
        ModelCalibration(mean=0.0, deviation=0.25, floor=0.4, weight=0.35),
        ModelCalibration(mean=0.0, deviation=0.2, floor=0.35, weight=0.65),
        fused_threshold=2.5,
        evidence={},
    )
    assert plots(corpus, calibration, made[0]) == made[1]


def test_an_earlier_report_is_replaced_and_anything_else_is_not(page, tmp_path):
    recognition_page.require(page)
    (tmp_path / "other").mkdir()
    recognition_page.require(tmp_path / "other")
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(ServiceError, match="something else"):
        recognition_page.require(tmp_path / "other")
    (tmp_path / "other" / "report.json").write_text("[]")
    with pytest.raises(ServiceError, match="something else"):
        recognition_page.require(tmp_path / "other")
    with pytest.raises(ServiceError, match="is a file"):
        recognition_page.require(tmp_path / "other" / "notes.txt")


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotsUnavailable, match="extra 'report'"):
        recognition_page.require(tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_the_figures_lie_beside_the_page(page, made):
    stored = json.loads((page / "report.json").read_text())
    assert stored["made_by"] == recognition_page.MADE_BY
    assert stored["fused"]["fnmr"]["value"] == made[0]["fused"]["fnmr"]["value"]


@pytest.mark.parametrize(
    ("rate", "said"), [(0, "0"), (1, "100 %"), (0.0149, "1.5 %"), (0.5, "50.0 %"), (7.3e-6, "7.3e-6"), (1e-3, "0.1 %")]
)
def test_rates_are_said_as_people_read_them(rate, said):
    assert share(np.float64(rate)) == said
