"""Drawing face challenges until one comes that a recording or a mask can do."""

from __future__ import annotations

import pytest

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose
from plugin.errors import CeremonyRefused, LockedOut
from plugin.factors.face import MAX_CHALLENGES
from plugin.factors.face_answers import FaceRefused
from tests.plugin.factors.scripted import shows


def test_challenges_that_are_drawn_and_left_are_attempts(world):
    person = world.person().has_face()
    for code in person.codes[:3]:  # nine, over three ceremonies
        view = world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), code, now=world.now)
        for _ in range(MAX_CHALLENGES):
            view = world.face.start(view, now=world.now).view
    view = person.proves_totp()
    tenth = world.face.start(view, now=world.now)
    with pytest.raises(LockedOut) as refused:
        world.face.start(tenth.view, now=world.now)
    assert refused.value.retry_after_s == 30


def test_fourth_challenge_in_a_ceremony_ends_it(world):
    person = world.person().has_face()
    view = person.proves_totp()
    for _ in range(MAX_CHALLENGES):
        view = world.face.start(view, now=world.now).view
    with pytest.raises(FaceRefused) as refused:
        world.face.start(view, now=world.now)
    assert not refused.value.may_retry
    with pytest.raises(CeremonyRefused):
        person.view()
    assert world.audited("face_refused")[-1]["denied_by"] == ["too_many_challenges"]


def test_new_challenge_replaces_the_one_before(world):
    person = world.person().has_face()
    first = world.face.start(person.proves_totp(), now=world.now)
    second = world.face.start(first.view, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.face.push(first.view, [], now=world.now)
    assert second.view.version > first.view.version


def test_challenge_that_was_left_is_in_the_log_when_the_next_one_is_drawn(world):
    person = world.person().has_face()
    first = world.face.start(person.proves_totp(), now=world.now)
    world.face.start(first.view, now=world.now)
    assert [entry["denied_by"] for entry in world.audited("face_refused")] == [["left_unfinished"]]


def test_locked_face_draws_nothing(world):
    person = world.person().has_face()
    for _ in range(10):
        world.attempts.take(person.owner, Counted.FACE, now=world.now)
    before = len(world.audited("face_challenge_drawn"))
    with pytest.raises(LockedOut):
        world.face.start(person.proves_totp(), now=world.now)
    assert len(world.audited("face_challenge_drawn")) == before


def test_challenges_are_drawn_by_the_system_and_differ(world):
    person = world.person().has_face()
    for _ in range(3):
        view = person.proves_totp()
        for _ in range(3):
            view = world.face.start(view, now=world.now).view
        world.passes(seconds=60)
    steps = {tuple(entry["steps"]) for entry in world.audited("face_challenge_drawn")[1:]}
    assert len(steps) > 1  # nine draws from 36: all alike once in 2.8e12 runs


def test_frames_sent_many_times_at_once_are_looked_at_once(world, monkeypatch):
    """Only one of them could win; the others would cost as much (test_parallel_frames.py: with threads and workers)."""
    person = world.person().has_face()
    view = world.face.start(person.proves_totp(), now=world.now).view
    look, looked, refusals = world.face._look, [], []

    def while_looking(session, frames, **how):
        looked.append(frames)
        for _ in range(3):
            with pytest.raises(CeremonyRefused) as refused:
                world.face.push(view, shows("next"), now=world.now)
            refusals.append(refused.value.code)
        return look(session, frames, **how)

    monkeypatch.setattr(world.face, "_look", while_looking)
    first = world.face.push(view, shows("next"), now=world.now)
    assert first.state == "next_step"
    assert (len(looked), refusals) == (1, ["frames_overtaken"] * 3)
    monkeypatch.undo()
    assert world.face.push(first.view, shows("go", start=1), now=world.now).state == "go_on"


def test_a_push_that_failed_holds_nothing(world):
    person = world.person().has_face()
    view = world.face.start(person.proves_totp(), now=world.now).view
    with pytest.raises(FaceRefused):
        world.face.push(view, shows("broken"), now=world.now)
    again = world.face.start(person.view(), now=world.now).view
    assert world.face.push(again, shows("next"), now=world.now).state == "next_step"
