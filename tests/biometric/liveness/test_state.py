"""A session's bytes: everything comes back, nothing else is read."""

import json
import struct

import numpy as np
import pytest

from biometric.errors import FramesInvalid
from biometric.liveness import snapshot
from biometric.liveness.evidence import Pose, StepMark
from biometric.liveness.observe import Trail
from biometric.liveness.state import MAGIC, pack, unpack
from biometric.liveness.tracking import SkinTrack
from tests.biometric.liveness.rows import BLINK_TWICE, SMILE, TURN, Script, embeddings, sample


def whole():
    evidence = Script(shake=0.01).rest(100).turn().away(30).smile().rest(140).evidence(TURN, BLINK_TWICE, SMILE)
    evidence.rows = evidence.rows[:300]
    evidence.digests = [bytes([k % 256, k // 256]) * 8 for k in range(300)]
    evidence.marks = [StepMark(100.0, 900.0), StepMark(1500.0)]
    evidence.pauses_ms = (100, 200, 300)
    evidence.poses = [sample(pose, embeddings(k), at_ms=50.0 * k, yaw=3.0) for k, pose in enumerate(Pose)]
    evidence.looks, evidence.crowded_looks, evidence.served_ms, evidence.size = 9, 1, 7000, (640, 480)
    patches = np.arange(228, dtype=np.float32).reshape(114, 2)
    trail = Trail(
        points=np.arange(936, dtype=np.float32).reshape(468, 2),
        faces=[np.full((32, 32), 7 + back, np.uint8) for back in range(4)],
        scenes=[np.full((24, 32), 20 + back, np.uint8) for back in range(4)],
        track=SkinTrack(
            origin=patches,
            current=patches + 1,
            depth=patches[:, 0],
            begun=120,
            scale=45.0,
            roll=1.0,
            yaw=2.0,
            pitch=3.0,
            age=4,
        ),
        looked_ms=600.0,
    )
    return evidence, trail


def test_everything_comes_back():
    evidence, trail = whole()
    data = snapshot.save(evidence, trail, deadline_ms=15_000)
    again, followed, deadline_ms = snapshot.load(data)
    assert deadline_ms == 15_000
    assert snapshot.save(again, followed, deadline_ms=deadline_ms) == data
    for name in ("steps", "pauses_ms", "mode", "digests", "baseline", "marks", "looks", "served_ms", "size"):
        assert getattr(again, name) == getattr(evidence, name)
    np.testing.assert_array_equal(np.array(again.rows), np.array(evidence.rows))
    np.testing.assert_array_equal(followed.track.current, trail.track.current)
    assert followed.track.age == 4
    assert [thumb[0, 0] for thumb in followed.faces] == [7, 8, 9, 10]
    assert followed.scenes[3].tolist() == trail.scenes[3].tolist()
    assert again.poses[2].embeddings.sface.vector.tolist() == evidence.poses[2].embeddings.sface.vector.tolist()


def test_a_new_session_has_bytes_too():
    evidence = Script().evidence(TURN)
    evidence.marks, evidence.baseline = [], None
    again, trail, _ = snapshot.load(snapshot.save(evidence, Trail(), deadline_ms=1))
    assert again.baseline is None
    assert trail.track is None
    assert not again.rows


def test_a_full_challenge_stays_small():
    assert len(snapshot.save(*whole(), deadline_ms=1)) < 100_000


def test_no_byte_of_it_can_be_missing_or_added():
    data = snapshot.save(*whole(), deadline_ms=1)
    for damaged in (data[:-1], data + b"\0", data[:40], b"", data[1:]):
        with pytest.raises(FramesInvalid):
            snapshot.load(damaged)


def test_another_version_is_not_read():
    data = snapshot.save(*whole(), deadline_ms=1)
    with pytest.raises(FramesInvalid, match="version"):
        snapshot.load(b"FSL\x01" + data[4:])


@pytest.mark.parametrize(
    "arrays",
    [
        [["rows", "O", [1]]],
        [["rows", "f4", [2**62]]],
        [["rows", "f4", [-1]]],
        [["rows", "f4", "x"]],
        [["rows"]],
        None,
    ],
)
def test_a_header_with_impossible_arrays_is_refused(arrays):
    head = json.dumps({"values": {}, "arrays": arrays}).encode()
    with pytest.raises(FramesInvalid):
        unpack(MAGIC + struct.pack("<I", len(head)) + head + b"\0" * 16)


def test_a_header_without_what_a_session_needs_is_refused():
    with pytest.raises(FramesInvalid):
        snapshot.load(pack({"steps": [["dance", 1]]}, {}))


def test_nothing_of_it_prints_numbers_of_a_face():
    evidence, trail = whole()
    shown = f"{evidence!r} {trail.track!r} {evidence.poses[0]!r}"
    assert "array" not in shown
    assert "." not in shown.replace("...", "")
