"""Making the service work: frames of one challenge in many requests at once, of which it can use only one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Event

import pytest

from plugin.ceremonies.types import Stage
from plugin.errors import CeremonyRefused
from plugin.factors.frame_memory import FrameMemory
from tests.plugin.factors.scripted import ScriptedSession, shows
from tests.plugin.factors.worlds import pytest_generate_tests, world

__all__ = ["pytest_generate_tests", "world"]

PATIENCE_S = 10


@pytest.fixture
def looked(world, monkeypatch):
    """Every batch that was looked at, as the first of its frames."""
    seen = []
    push = ScriptedSession.push

    def noting(session, frames, **limits):
        seen.append(frames[0])
        return push(session, frames, **limits)

    monkeypatch.setattr(ScriptedSession, "push", noting)
    return seen


def at_camera(world):
    """Return somebody who is enrolled, and their ceremony with a challenge drawn."""
    person = world.person().has_face()
    return person, world.face.start(person.proves_totp(), now=world.now).view


def pushes(world, view, *words) -> str:
    """Send frames; return how far the challenge is, or why nothing was looked at."""
    try:
        return world.face.push(view, shows(*words), now=world.now).state
    except CeremonyRefused as exc:
        return exc.code


def test_of_eight_uploads_at_once_one_is_looked_at(world, looked):
    person, view = at_camera(world)
    looked.clear()
    together = Barrier(8)

    def sends(_place) -> str:
        together.wait(PATIENCE_S)
        return pushes(world, view, "go")

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(sends, range(8)))
    assert len(looked) == 1
    assert answers == ["frames_overtaken"] * 7 + ["go_on"]
    assert pushes(world, person.view(), "done:alice") == "finished"
    assert person.view().stage is Stage.DONE


def test_an_upload_is_refused_while_another_is_looked_at(world, monkeypatch):
    person, view = at_camera(world)
    begun, may_end, push = Event(), Event(), ScriptedSession.push
    looks = []

    def slowly(session, frames, **limits):
        looks.append(frames)
        begun.set()
        assert may_end.wait(PATIENCE_S)
        return push(session, frames, **limits)

    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as thread:
        patch.setattr(ScriptedSession, "push", slowly)
        first = thread.submit(pushes, world, view, "next")
        assert begun.wait(PATIENCE_S)
        second = pushes(world, person.view(), "next")  # read again: the state is the same as long as the first is busy
        may_end.set()
        assert (first.result(PATIENCE_S), second, len(looks)) == ("next_step", "frames_overtaken", 1)
    assert pushes(world, person.view(), "done:alice") == "finished"


def test_uploads_held_back_until_the_state_is_old_are_not_looked_at(world, looked):
    person, view = at_camera(world)
    assert pushes(world, view, "go") == "go_on"
    looked.clear()
    assert [pushes(world, view, "go") for _ in range(3)] == ["frames_overtaken"] * 3
    assert looked == []
    assert pushes(world, person.view(), "done:alice") == "finished"


def test_frames_are_not_looked_at_against_a_challenge_that_was_replaced(world, looked):
    person, old = at_camera(world)
    world.face.start(old, now=world.now)
    looked.clear()
    assert pushes(world, old, "done:alice") == "frames_overtaken"
    assert looked == []
    assert pushes(world, person.view(), "done:alice") == "finished"


def test_frames_are_not_looked_at_once_the_ceremony_is_over(world, looked):
    _, view = at_camera(world)
    world.ceremonies.end(view, now=world.now)
    looked.clear()
    assert pushes(world, view, "done:alice") == "frames_overtaken"
    assert looked == []


def test_every_worker_knows_what_another_has_begun(world):
    _, view = at_camera(world)
    assert FrameMemory(world.database).claim(view, challenge="of this worker")
    with closing(world.open_database()) as database:
        assert not FrameMemory(database).claim(view, challenge="of another worker")


def test_a_worker_that_dies_over_frames_has_used_the_challenge_up(world, looked, monkeypatch):
    person, view = at_camera(world)

    def dies(*_args, **_limits):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(ScriptedSession, "push", dies)
        with pytest.raises(MemoryError):
            world.face.push(view, shows("go"), now=world.now)
    looked.clear()
    assert pushes(world, person.view(), "done:alice") == "frames_overtaken"
    assert looked == []
    assert person.shows("alice", person.view()).stage is Stage.DONE, "another challenge can be drawn"
