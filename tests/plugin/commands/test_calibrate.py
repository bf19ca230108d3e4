"""`facestep calibrate`: what it refuses, and thresholds from the people who are enrolled."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from biometric.agreement import Agreement
from biometric.calibration import BOUND_MODELS, FRAMING, Calibration, ModelCalibration
from biometric.evaluation.enrolled import LEAST_PEOPLE
from biometric.models import ModelStore
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings
from plugin.audit.log import AuditLog
from plugin.ceremonies.types import Subject
from plugin.factors import references
from plugin.factors.references import References
from plugin.store.database import Database
from tests.biometric.agreements import detector
from vault.keyring import KeyringSealer, create_keyring

pytestmark = pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")
STAFF, OTHERS = "https://idp.example/realms/staff", "https://idp.example/realms/others"


@pytest.fixture
def shell(shell, tmp_path, monkeypatch):
    """A development machine with a calibration file of its own, an empty database and a keyring."""
    digests = ModelStore(tmp_path).digests()
    part = ModelCalibration(mean=0.0, deviation=0.1, floor=0.3, weight=0.5)
    made = Calibration("", FRAMING, {name: digests[name] for name in BOUND_MODELS}, part, part, 2.0, {"data": "-"})
    table = json.loads(made.to_json()) | {"id": made.digest()}
    (tmp_path / "own.json").write_text(json.dumps(table))
    monkeypatch.setenv("FACESTEP_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("FACESTEP_CALIBRATION_FILE", str(tmp_path / "own.json"))
    create_keyring(tmp_path / "keyring.json")

    def run(*arguments):
        return shell(*map(str, arguments))

    assert run("database", "migrate").exit_code == 0
    return run


def alike(rng, size, share):
    """A unit vector with about this cosine to all others of its kind (simulated)."""
    common = np.zeros(size)
    common[0] = np.sqrt(share)
    own = rng.normal(size=size)
    own[0] = 0
    return (common + own / np.linalg.norm(own) * np.sqrt(1 - share)).astype(np.float32)


@pytest.fixture
def enrol(shell, tmp_path):
    """Return a function that stores references of made-up people as an enrolment does."""

    def enrolled(people, *, issuer=STAFF, share=0.1, days_ago=1):
        rng = np.random.default_rng(people)
        calibration = Calibration.load(ModelStore(tmp_path), tmp_path / "own.json")
        now = datetime.now(UTC) - timedelta(days=days_ago)
        with closing(Database(f"sqlite:///{tmp_path}/facestep.db")) as database:
            store = References(
                database=database,
                sealer=KeyringSealer(tmp_path / "keyring.json"),
                calibration=calibration,
                ttl_days=365,
            )
            with database.transaction() as session:
                for number in range(people):
                    face = FaceEmbeddings(
                        Embedding(alike(rng, 512, share), FACENET), Embedding(alike(rng, 128, share), SFACE)
                    )
                    owner = Subject(issuer, f"subject-{days_ago}-{number}")
                    references.replace(session, store.new_row(owner, face, consent_id="c", now=now))

    return enrolled


def calibrate(shell, *more):
    return shell("calibrate", "--enrolled", "--data", "made-up people", "--out", "made.json", *more)


def test_the_threshold_rises_for_people_who_are_more_alike(shell, enrol, tmp_path):
    enrol(LEAST_PEOPLE, share=0.2)
    result = calibrate(shell)
    assert result.exit_code == 0, result.output
    assert "the threshold rises from 2.000" in result.stdout
    assert f"{LEAST_PEOPLE} people of {STAFF}" in result.stdout
    made = Calibration.load(ModelStore(tmp_path), tmp_path / "made.json")
    seen = made.evidence["enrolled"]
    assert made.fused_threshold == pytest.approx(seen["threshold"]["estimate"])
    assert made.fused_threshold > 2.5
    assert (seen["people"], seen["impostor_pairs"]) == (LEAST_PEOPLE, LEAST_PEOPLE * (LEAST_PEOPLE - 1) // 2)
    assert seen["fmr"]["after"]["value"] <= seen["fmr"]["before"]["value"]
    assert made.evidence["data"] == "-"  # what was measured before stays on record


def test_it_is_never_made_looser(shell, enrol, tmp_path):
    enrol(LEAST_PEOPLE, share=0.0)
    result = calibrate(shell)
    assert "the threshold stays" in result.stdout
    assert Calibration.load(ModelStore(tmp_path), tmp_path / "made.json").fused_threshold == 2.0


def with_detector(tmp_path):
    """Put a detector beside the calibration in use, made out to it."""
    before = Calibration.load(ModelStore(tmp_path), tmp_path / "own.json")
    made = replace(detector(), models=dict(before.models)).bound_to(before)
    (tmp_path / "own.agreement.json").write_text(made.to_json())
    return made


def test_the_detector_of_the_calibration_in_use_is_made_out_to_the_new_one(shell, enrol, tmp_path):
    before = with_detector(tmp_path)
    enrol(LEAST_PEOPLE)
    assert calibrate(shell).exit_code == 0
    after = Calibration.load(ModelStore(tmp_path), tmp_path / "made.json")
    found = Agreement.load(after)
    assert found.calibration == after.id != before.calibration
    assert found.to_json() == replace(before, id=found.id, calibration=after.id).to_json()


def test_a_broken_detector_beside_the_calibration_in_use_stops_it(shell, enrol, tmp_path):
    (tmp_path / "own.agreement.json").write_text("{}")
    enrol(LEAST_PEOPLE)
    result = calibrate(shell)
    assert result.exit_code == 2
    assert "the disagreement detector cannot be read" in result.stderr
    assert not (tmp_path / "made.json").exists()


def test_a_detector_of_a_calibration_that_is_overwritten_does_not_stay(shell, enrol, tmp_path):
    (tmp_path / "made.agreement.json").write_text(with_detector(tmp_path).to_json())
    (tmp_path / "own.agreement.json").unlink()
    enrol(LEAST_PEOPLE)
    result = calibrate(shell)
    assert "removed made.agreement.json" in result.stdout
    assert not (tmp_path / "made.agreement.json").exists()


def test_no_vector_and_no_subject_is_written(shell, enrol, tmp_path):
    enrol(LEAST_PEOPLE)
    before = {path.name for path in tmp_path.iterdir()}
    calibrate(shell)
    new = {path.name for path in tmp_path.iterdir()} - before
    assert new <= {"made.json", "facestep.db-wal", "facestep.db-shm"}
    text = (tmp_path / "made.json").read_text()
    assert "subject-" not in text
    assert len(text) < 4000


def test_opening_everybody_is_on_the_audit_log(shell, enrol, tmp_path):
    enrol(3)
    calibrate(shell)
    with closing(Database(f"sqlite:///{tmp_path}/facestep.db")) as database:
        (entry,) = AuditLog(database).entries()
    assert (entry.event, entry.issuer, entry.details["count"]) == ("references_opened", STAFF, 3)


def test_too_few_people_is_one_clear_line(shell, enrol, tmp_path):
    enrol(LEAST_PEOPLE - 1)
    enrol(10, days_ago=400)  # expired, so they do not count
    result = calibrate(shell)
    assert result.exit_code == 2
    assert f"too_few_people: {LEAST_PEOPLE - 1} usable references" in result.stderr
    assert not (tmp_path / "made.json").exists()


def test_people_of_two_issuers_are_never_mixed(shell, enrol):
    enrol(LEAST_PEOPLE)
    enrol(3, issuer=OTHERS)
    result = calibrate(shell)
    assert "people of 2 issuers are enrolled; name one" in result.stderr
    assert "too_few_people: 3" in calibrate(shell, "--issuer", OTHERS).stderr
    assert calibrate(shell, "--issuer", STAFF).exit_code == 0
    assert "nobody is enrolled for https://x.example" in calibrate(shell, "--issuer", "https://x.example").stderr


def test_nobody_enrolled_is_one_clear_line(shell):
    assert "nobody is enrolled in this deployment" in calibrate(shell).stderr


def test_a_row_that_was_changed_stops_it(shell, enrol, tmp_path):
    enrol(LEAST_PEOPLE)
    with closing(sqlite3.connect(tmp_path / "facestep.db")) as other, other:
        other.execute("UPDATE face_references SET subject='mallory' WHERE subject='subject-1-0'")
    result = calibrate(shell)
    assert result.exit_code == 2
    assert "vault_wrong_mac" in result.stderr


@pytest.mark.parametrize(
    "words",
    [(), ("--enrolled", "--images", "x"), ("--enrolled", "--further", "x"), ("--enrolled", "--cache", "x")],
    ids=["neither", "both", "further", "cache"],
)
def test_what_makes_no_sense_is_refused(shell, words):
    result = shell("calibrate", "--data", "-", "--out", "made.json", *words)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
