"""Rendered people, as the real nets see them. All figures are simulated."""

from __future__ import annotations

import numpy as np
import pytest

from biometric.detect import FaceDetector
from biometric.landmarks import FaceMesh
from biometric.liveness.measure import measure_face
from tests.simulator import Person, Pose, Sensor, encode, jpeg
from tests.simulator.light import ScreenLight
from tests.simulator_tests.measures import measure

pytestmark = pytest.mark.models


def _measured(subject, **pose):
    return measure(Sensor(seed=1).expose(subject.render(Pose(**pose))))


def test_the_mesh_net_follows_the_yaw_to_both_sides(subject):
    asked = np.array([-30, -20, -10, 0, 10, 20, 30])
    seen = np.array([_measured(subject, yaw=float(yaw)).yaw for yaw in asked])
    assert (np.diff(seen) > 4).all()
    # measured over the seven pictures: 22 to 31 degrees for 30
    assert np.abs(seen - asked).max() < 9


def test_a_blink_closes_the_eyes_for_the_mesh_net(subject, models):
    detector, mesh = FaceDetector(models), FaceMesh(models)
    person, landmarks, seen = Person(subject, seed=3), None, []
    person.show("blink", 2, 300.0)
    for at_ms in range(0, 2200, 66):
        frame = person.frame(at_ms)
        landmarks = (
            mesh.track(frame, landmarks)
            if landmarks
            else mesh.locate(frame, detector.detect(frame, longest_side=320)[0])
        )
        eyes = measure_face(landmarks.points)
        seen.append((person.pose(at_ms).blink, (eyes.ear_left + eyes.ear_right) / 2))
    blink, ratio = np.array(seen).T
    open_ratio = np.median(ratio[blink == 0])
    assert np.median(ratio[blink > 0.98]) < 0.62 * open_ratio
    assert ratio[blink == 0].min() > 0.85 * open_ratio


def test_a_smile_widens_the_mouth(subject):
    assert _measured(subject, smile=1.0).mouth > 1.12 * _measured(subject).mouth


def test_a_nearer_person_is_bigger(subject):
    ratio = _measured(subject, distance_m=0.4).eye_distance / _measured(subject, distance_m=0.6).eye_distance
    assert 1.35 < ratio < 1.65


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(person_b):
    first, again, other = (Person(person_b, seed=seed) for seed in (8, 8, 9))
    for person in (first, again, other):
        person.show("turn_left", 1, 0.0)
    assert [jpeg(first, t) for t in (0, 500, 900)] == [jpeg(again, t) for t in (0, 500, 900)]
    assert jpeg(first, 1000) != jpeg(other, 1000)


def test_no_two_frames_are_equal_even_when_the_person_sits_still(person_b):
    person = Person(person_b, seed=2)
    assert len({encode(person.frame(0.0)) for _ in range(20)}) == 20


def test_screen_light_shows_the_relief_of_a_head_and_leaves_the_wall_dark(person_b):
    light = ScreenLight((1.0, 1.0, 1.0), share=0.4)
    dark, lit = person_b.render(Pose()).astype(float), person_b.render(Pose(), light).astype(float)
    gain = (lit.sum(axis=2) + 1) / (dark.sum(axis=2) + 1) - 1
    nose, cheek_edge = np.median(gain[250:262, 314:326]), np.median(gain[235:250, 246:252])
    wall = np.median(gain[40:120, 40:200])
    assert nose > 2 * cheek_edge > 0
    assert nose > 5 * wall > 0


def test_a_frame_is_640_by_480_and_travels_as_jpeg(person_b):
    picture = person_b.render(Pose())
    assert (picture.shape, picture.dtype) == ((480, 640, 3), np.uint8)
    assert 20_000 < len(encode(picture)) < 120_000
