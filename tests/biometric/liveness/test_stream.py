"""Each numbered rule of biometric/liveness/stream.py, broken alone."""

import pytest

from biometric.errors import FramesInvalid, ImageUnreadable
from biometric.liveness.cues.result import Verdict
from biometric.liveness.cues.stream import evaluate
from biometric.liveness.evidence import Evidence, Mode, make_row
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
