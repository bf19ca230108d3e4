"""Each numbered rule of biometric/liveness/stream.py, broken alone."""

from dataclasses import replace

import numpy as np
import pytest

from biometric.errors import FramesInvalid, ImageUnreadable
from biometric.liveness.chain import sign_frames
from biometric.liveness.cues.result import Verdict
from biometric.liveness.cues.stream import evaluate
from biometric.liveness.evidence import Evidence, Mode, make_row
from biometric.liveness.risk import find_risks
from biometric.liveness.stream import EARLY_MS, LATE_MS, MAX_BATCH, MAX_FRAMES, check_batch
from biometric.types import Frame
from tests.biometric.liveness.rows import SMILE

EVERY = 66


def frame(seq, *, at=None, body=b"", tail=None):
    return Frame(seq, seq * EVERY if at is None else at, b"\xff\xd8\xff" + (body or b"picture %d" % seq))


@pytest.fixture
def evidence():
    return Evidence((SMILE,), (0,), Mode.LOGIN)


def take(evidence, frames, *, now=None, limit=1000):
    new = check_batch(
        frames,
        evidence=evidence,
        now_ms=frames[-1].captured_ms + 50 if now is None else now,
        max_frame_bytes=limit,
    )
    evidence.rows.extend(make_row(captured_ms=float(one.captured_ms), presence=1.0) for one in new)
    return new


def refused(evidence, frames, rule, **how):
    with pytest.raises(FramesInvalid, match=f"^{rule}$"):
        take(evidence, frames, **how)
    assert evidence.broken == rule
    vote = evaluate(evidence)
    assert (vote.verdict, vote.why) == (Verdict.DENY, rule)


def test_frames_as_a_page_sends_them_are_taken(evidence):
    first = [frame(seq) for seq in range(6)]
    assert take(evidence, first) == first
    assert take(evidence, [first[-1], frame(6), frame(7)]) == [frame(6), frame(7)]
    assert evaluate(evidence).verdict is Verdict.NEUTRAL


def test_1_an_empty_batch(evidence):
    with pytest.raises(FramesInvalid, match="batch"):
        check_batch([], evidence=evidence, now_ms=0, max_frame_bytes=10)


def test_1_a_batch_that_is_too_long(evidence):
    refused(evidence, [frame(seq) for seq in range(MAX_BATCH + 1)], "batch")


def test_1_a_batch_after_a_broken_one(evidence):
    refused(evidence, [frame(1)], "order")
    with pytest.raises(FramesInvalid, match="batch"):
        take(evidence, [frame(0)])


def test_1_a_batch_after_the_end(evidence):
    evidence.failed = "deadline"
    refused(evidence, [frame(0)], "batch")


def test_2_a_batch_that_does_not_repeat_the_last_frame(evidence):
    take(evidence, [frame(0), frame(1)])
    refused(evidence, [frame(2), frame(3)], "overlap")


def test_2_a_repeated_frame_with_other_bytes(evidence):
    take(evidence, [frame(0), frame(1)])
    refused(evidence, [frame(1, body=b"another"), frame(2)], "overlap")


def test_3_a_gap_in_the_count(evidence):
    refused(evidence, [frame(0), frame(2)], "order")


def test_3_frames_in_another_order(evidence):
    refused(evidence, [frame(0), frame(2, at=66), frame(1, at=132)], "order")


def test_3_a_stream_that_does_not_begin_at_its_beginning(evidence):
    refused(evidence, [frame(4)], "order")


@pytest.mark.parametrize("at", [0, -1, 5])
def test_4_a_clock_that_stands_or_runs_back_or_too_fast(evidence, at):
    refused(evidence, [frame(0, at=0), frame(1, at=at)], "clock", now=100)


def test_4_a_hole_in_time(evidence):
    refused(evidence, [frame(0, at=0), frame(1, at=1501)], "clock")


def test_4_a_hole_in_time_between_batches(evidence):
    take(evidence, [frame(0)])
    refused(evidence, [frame(0), frame(1, at=1600)], "clock")


def test_4_a_time_before_the_beginning(evidence):
    refused(evidence, [frame(0, at=-20)], "clock", now=0)


def test_5_frames_from_the_future(evidence):
    refused(evidence, [frame(0, at=EARLY_MS + 1)], "late", now=0)


def test_5_frames_that_were_kept_back(evidence):
    refused(evidence, [frame(0, at=0)], "late", now=LATE_MS + 1)


def test_6_a_server_clock_that_ran_back(evidence):
    take(evidence, [frame(0), frame(1)], now=300)
    refused(evidence, [frame(1), frame(2)], "server", now=299)


def test_7_too_many_frames(evidence):
    last = None
    for start in range(0, MAX_FRAMES, 25):
        batch = [frame(seq) for seq in range(start, start + 25)]
        take(evidence, [last, *batch] if last else batch)
        last = batch[-1]
    refused(evidence, [last, frame(MAX_FRAMES)], "many")


def test_7_or_more_than_the_settings_say(evidence):
    three = [frame(seq) for seq in range(3)]
    with pytest.raises(FramesInvalid, match="many"):
        check_batch(three, evidence=evidence, now_ms=300, max_frame_bytes=1000, max_frames=2)


def test_8_a_frame_that_is_too_large(evidence):
    refused(evidence, [frame(0, body=b"x" * 1000)], "bytes")


@pytest.mark.parametrize("body", [b"", b"\x89PNG\r\n", b"GIF89a", b"<svg"])
def test_8_a_frame_that_is_no_jpeg(evidence, body):
    with pytest.raises(ImageUnreadable):
        take(evidence, [Frame(0, 0, body)])
    assert evidence.broken


def test_9_a_frame_sent_twice_in_a_batch(evidence):
    refused(evidence, [frame(0, body=b"same"), frame(1, body=b"same")], "repeated")


def test_9_a_frame_sent_again_much_later(evidence):
    take(evidence, [frame(seq) for seq in range(6)])
    refused(evidence, [frame(5), frame(6, body=b"picture 2")], "repeated")


def test_a_refused_batch_leaves_no_trace_of_its_frames(evidence):
    take(evidence, [frame(0)])
    refused(evidence, [frame(0), frame(1), frame(3)], "order")
    assert len(evidence.digests) == 1


# the chain

KEY = bytes(range(32))


@pytest.fixture
def chained(evidence):
    evidence.chain_key = KEY
    return evidence


def signed(count):
    return sign_frames([frame(seq) for seq in range(count)], key=KEY)


def test_11_frames_in_the_chain_of_their_challenge_are_taken_over_several_batches(chained):
    frames = signed(9)
    take(chained, frames[:4])
    assert take(chained, frames[3:]) == frames[4:]
    assert chained.chain_tag == frames[-1].tag


@pytest.mark.parametrize(
    "changed",
    [
        lambda one: replace(one, tag=b""),
        lambda one: replace(one, tag=bytes(32)),
        lambda one: replace(one, jpeg=one.jpeg + b"!"),
        lambda one: replace(one, captured_ms=one.captured_ms + 1),
        lambda one: replace(one, tag=one.tag[:31]),
    ],
    ids=["no tag", "no tag of ours", "another picture", "another time", "a cut tag"],
)
@pytest.mark.parametrize("place", [0, 2, 5])
def test_11_one_frame_that_was_changed_on_its_way(chained, place, changed):
    frames = signed(6)
    frames[place] = changed(frames[place])
    refused(chained, frames, "chain")


def test_11_frames_that_were_tagged_for_another_challenge(chained):
    refused(chained, sign_frames([frame(seq) for seq in range(6)], key=bytes(32)), "chain")


def test_11_a_frame_left_out_and_the_rest_renumbered(chained):
    frames = signed(6)
    gone = [*frames[:2], *(replace(one, seq=one.seq - 1) for one in frames[3:])]
    refused(chained, gone, "chain")


def test_11_the_repeated_frame_needs_its_tag_too(chained):
    frames = signed(6)
    take(chained, frames[:3])
    refused(chained, [replace(frames[2], tag=bytes(32)), *frames[3:]], "chain")


def test_without_a_key_as_in_evaluation_no_tag_is_asked_for(evidence):
    assert len(take(evidence, [frame(0), frame(1)])) == 2


def test_the_key_is_not_shown(chained):
    assert KEY.hex() not in repr(chained)
    assert str(KEY) not in repr(chained)


# what looks as if no camera had sent it


def seen(times, *, unchanged=0.2):
    evidence = Evidence((SMILE,), (0,), Mode.LOGIN)
    shares = np.broadcast_to(unchanged, len(times))
    evidence.rows = [
        make_row(captured_ms=float(at), presence=1.0, unchanged=float(share))
        for at, share in zip(times, shares, strict=True)
    ]
    return evidence


def jittered(count=60):
    return np.cumsum(66 + np.random.default_rng(1).integers(-6, 7, count))


def test_a_camera_shows_no_risk():
    assert find_risks(seen(jittered())) == ()


@pytest.mark.parametrize(
    ("evidence", "risk"),
    [
        (seen(np.arange(60) * 66), "even_intervals"),
        (seen(jittered(), unchanged=np.where(np.arange(60) % 10 == 0, 1.0, 0.3)), "near_duplicates"),
        (seen(jittered(), unchanged=0.8), "no_sensor_noise"),
    ],
    ids=["as by a clock", "every tenth twice", "a still background without noise"],
)
def test_a_risk_is_named_and_denies_nothing(evidence, risk):
    assert find_risks(evidence) == (risk,)
    assert evaluate(evidence).verdict is Verdict.NEUTRAL


def test_a_page_that_follows_its_screens_refresh_is_no_risk():
    assert find_risks(seen(np.rint(np.arange(60) * 200 / 3))) == ()


def test_too_few_frames_tell_nothing():
    assert find_risks(seen(np.arange(10) * 66, unchanged=1.0)) == ()


def test_what_the_page_said_of_its_camera_comes_first():
    evidence = seen(np.arange(60) * 66)
    evidence.camera_risks = ("virtual_camera",)
    assert find_risks(evidence) == ("virtual_camera", "even_intervals")
