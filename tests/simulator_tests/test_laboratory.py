"""The laboratory: everything follows from species, number and seed, and its conditions are those of a room."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import biometric
from biometric.evaluation.presentation import GENUINE, Group
from biometric.liveness.challenge import parse_steps
from biometric.liveness.evidence import Mode
from biometric.pipeline import FacePipeline
from tests.biometric.liveness.rig import FRAME_MS, light_of
from tests.fixtures_cache import cache_folder, picture_path
from tests.simulator import Person, Pose
from tests.simulator.clips import Clip
from tests.simulator.laboratory import Conditions, Laboratory, open_source
from tests.simulator.laboratory.people import PhotosInvalid, find_people
from tests.simulator.laboratory.source import DECIDE, draw_session
from tests.simulator.laboratory.species import SPECIES, Case, Clips, draw_habits
from tests.simulator.laboratory.surroundings import AutoCamera, Before, EncodedAnew

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def people():
    return find_people(None)


@pytest.fixture(scope="module")
def pipeline():
    return FacePipeline.open(cache_folder() / "models")


def case(people, number=0, seed=3, recording=list):
    return Case(people[1], people[2], seed, random.Random(number), recording)


def made(people, species, numbers=8, recording=list):
    return [SPECIES[species][1](case(people, number, recording=recording)) for number in range(numbers)]


def test_the_ten_species_of_the_battery_are_there():
    goals = [name for name, (group, _) in SPECIES.items() if group in {Group.FLAT, Group.MASK}]
    assert goals == [
        *("flat_print", "bent_print", "cut_out_print", "phone_replay", "tablet_replay", "still_on_screen"),
        *("injected_recording", "injected_recording_with_cuts", "relit_injection", "rigid_mask"),
    ]


def test_people_come_with_another_picture_of_theirs_as_reference(tmp_path):
    folder = tmp_path / "photos" / "x"
    folder.mkdir(parents=True)
    for name in ("b.jpg", "a.jpg", "c.jpg"):
        (folder / name).write_bytes(picture_path("person_b_1").read_bytes())
    found = find_people(tmp_path / "photos")
    assert [sitter.number for sitter in found] == list(range(len(found)))
    assert (found[0].shown.stem, found[0].reference.stem) == ("person_a_1", "person_a_2")
    assert (found[-1].shown.name, found[-1].reference.name) == ("a.jpg", "b.jpg")


def test_a_folder_without_pictures_and_a_picture_without_a_face_are_errors(tmp_path):
    with pytest.raises(PhotosInvalid, match="no picture"):
        find_people(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    with pytest.raises(PhotosInvalid, match="no picture"):
        _ = find_people(tmp_path)[-1].subject


def test_the_same_number_gives_the_same_outcome_and_another_seed_another(people, pipeline):
    conditions = Conditions(frames=30)

    def outcome(seed):
        lab = Laboratory(people, seed=seed, conditions=conditions)
        return replace(lab.present(GENUINE, 1, pipeline=pipeline), cpu_s=0.0)

    assert outcome(1) == outcome(1)
    assert outcome(1) != outcome(2)


def test_an_enrolment_is_compared_with_nobody(people, pipeline, monkeypatch):
    monkeypatch.setattr(Laboratory, "_reference", None)
    lab = Laboratory(people, seed=1, conditions=Conditions(frames=12, mode=Mode.ENROL))
    assert not lab.present(GENUINE, 1, pipeline=pipeline).accepted(system=True)  # it ended after a second
    with pytest.raises(TypeError):
        Laboratory(people, seed=1, conditions=Conditions(frames=12)).present(GENUINE, 1, pipeline=pipeline)


def test_a_fingerprint_changes_with_seed_and_pictures(people):
    assert Laboratory(people, seed=1).fingerprint() == open_source(photos=None, seed=1).fingerprint()
    assert Laboratory(people, seed=1).fingerprint() != Laboratory(people, seed=2).fingerprint()
    assert Laboratory(people, seed=1).fingerprint() != Laboratory(people[:3], seed=1).fingerprint()


def test_everybody_comes_in_turn_and_is_helped_by_others(people):
    lab = Laboratory(people, seed=1)
    pairs = [lab._pair(number) for number in range(4 * len(people))]
    assert [victim.number for victim, _ in pairs[: len(people)]] == [sitter.number for sitter in people]
    assert all(victim is not other for victim, other in pairs)
    assert len({other.number for victim, other in pairs if victim is people[0]}) == 4


def test_an_earlier_login_had_a_challenge_and_colours_of_its_own(people, pipeline, monkeypatch):
    lab = Laboratory(people, seed=1)
    drawn = []
    monkeypatch.setattr(
        "tests.simulator.laboratory.source.draw_session",
        lambda rng, steps=(): drawn.append(draw_session(rng, steps or parse_steps("closer flash"))) or drawn[-1],
    )
    frames = lab._recording(1, pipeline)
    assert lab._recording(1, pipeline) is frames
    (session,) = drawn
    assert len(frames) == len(set(frames)) > 60
    assert len(session.evidence.colours) > 3
    replayed = draw_session(random.Random(5), parse_steps("closer flash"))
    assert replayed.evidence.colours != session.evidence.colours


@pytest.mark.parametrize(
    ("species", "least"),
    [("bent_print", 4), ("cut_out_print", 3), ("still_on_screen", 4), ("rigid_mask", 2), ("puppet_on_screen", 2)],
)
def test_a_species_runs_through_its_variants(people, species, least):
    assert len({one.variant for one in made(people, species)}) >= least


def test_light_is_put_in_with_every_delay_and_shape(people, monkeypatch):
    monkeypatch.setattr("tests.simulator.laboratory.species.record_clip", lambda *_: Clip((), (b"",), ()))
    variants = [one.variant for one in made(people, "relit_injection", 20, recording=lambda: [b""])]
    delays = sorted(float(variant.split(" ms")[0].split()[-1]) for variant in variants)
    assert 80 <= delays[0] < 120
    assert 200 < delays[-1] <= 250
    assert {variant.split(", ")[0] for variant in variants} == {"recording", "clips"}
    assert {variant.split(", ")[-1] for variant in variants} == {"uniform", "round"}


def test_every_frame_of_an_injected_recording_is_sent_once(people):
    frames = [bytes([number]) for number in range(200)]
    plain = [
        one
        for one in made(people, "injected_recording", recording=lambda: frames)
        if not isinstance(one.actor, EncodedAnew)
    ]
    assert plain
    assert [plain[0].actor.jpeg(round(number * FRAME_MS)) for number in range(200)] == frames


def test_clips_are_recorded_when_they_are_needed(people):
    clips = Clips(case(people))
    assert not clips
    assert len(clips["closer:1"].loop) > 10
    assert list(clips) == ["closer:1"]


def test_people_differ_in_haste_and_distance():
    habits = [draw_habits(random.Random(number)) for number in range(50)]
    distances = [one.distance_m for one in habits]
    assert min(distances) < 0.46
    assert max(distances) > 0.55
    assert max(one.turn_ms[0] for one in habits) > 1.3 * min(one.turn_ms[0] for one in habits)


def test_a_camera_takes_back_a_part_of_what_changes_and_not_at_once():
    grey = np.full((480, 640, 3), 100, np.uint8)
    bright = np.full((480, 640, 3), 130, np.uint8)
    camera = AutoCamera()
    assert camera.adapt(grey, 0.0).mean() == 100
    soon, late = camera.adapt(bright, 66.0).mean(), [camera.adapt(bright, 66.0 * k).mean() for k in range(2, 100)][-1]
    assert soon > 126
    assert 108 < late < 114


def test_a_camera_balances_colours_more_slowly_than_brightness():
    camera = AutoCamera()
    camera.adapt(np.full((480, 640, 3), 100, np.uint8), 0.0)
    red = np.zeros((480, 640, 3), np.uint8) + np.array([100, 100, 130], np.uint8)
    excess = [float(np.diff(camera.adapt(red, 66.0 * k).mean(axis=(0, 1))[1:])[0]) for k in range(1, 120)]
    assert excess[7] > 25
    assert 15 < excess[-1] < 25


def test_a_brighter_screen_lights_more(person_b):
    def lit(brightness):
        actor = Before(Person(person_b, seed=1), brightness=brightness)
        dark = actor.frame(0.0).astype(int)
        actor.light((0.0, 0.0, 1.0), 0.0)
        return (actor.frame(70.0) - dark)[200:300, 280:360, 2].mean()

    assert lit(1.6) > 2 * lit(0.6) > 0


def test_the_pages_colours_are_light_in_linear_terms():
    assert light_of((255, 0, 0)) == (0.0, 0.0, 1.0)
    blue, green, red = light_of((0, 128, 255))
    assert (blue, red) == (1.0, 0.0)
    assert 0.2 < green < 0.23


def test_frames_that_are_encoded_anew_differ_and_show_the_same(person_b):
    class Still:
        def show(self, action, count, at_ms):
            """Stand still."""

        def frame(self, at_ms):
            return person_b.render(Pose())

    anew = EncodedAnew(Still(), seed=1)
    first, second = anew.frame(0.0).astype(int), anew.frame(66.0).astype(int)
    assert (first != second).any()
    assert np.abs(first - second).mean() < 2


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of `biometric` that a test may change; the laboratory takes it for the one in use."""
    copy = tmp_path / "biometric"
    shutil.copytree(
        Path(biometric.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__", "manifest.json")
    )
    monkeypatch.setattr(biometric, "__file__", str(copy / "__init__.py"))
    return copy


def fingerprints(people):
    return [Laboratory(people[:2], seed=1, judges=judges).fingerprint() for judges in (True, False)]


@pytest.mark.parametrize("name", [*DECIDE])
def test_a_run_is_not_taken_up_over_another_threshold_but_a_measurement_is(people, package, name):
    before = fingerprints(people)
    with (package / name).open("ab") as handle:
        handle.write(b" ")
    after = fingerprints(people)
    assert before[0] != after[0]
    assert before[1] == after[1]


@pytest.mark.parametrize(
    "name",
    [
        *("pipeline.py", "compare.py", "detect.py", "landmarks.py", "quality.py", "liveness/regions.py", "models.lock"),
        "weights/texture.tflite",
    ],
)
def test_neither_is_taken_up_over_other_code_or_models(people, package, name):
    before = fingerprints(people)
    with (package / name).open("ab") as handle:
        handle.write(b" ")
    assert all(one != other for one, other in zip(before, fingerprints(people), strict=True))


def test_what_is_asked_belongs_to_a_run_too(people):
    asked = Conditions(steps=parse_steps("closer flash"))
    assert Laboratory(people, seed=1).fingerprint() != Laboratory(people, seed=1, conditions=asked).fingerprint()
