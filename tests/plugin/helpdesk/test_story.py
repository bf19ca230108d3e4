"""What the helpdesk did about a person is told to that person, in words, and of nobody who acted."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from plugin.audit.events import EVENTS
from plugin.audit.story import SENTENCES, story_of
from plugin.errors import ServiceError
from plugin.factors.face_answers import FaceRefused
from plugin.helpdesk.targets import targets_of
from plugin.helpdesk.types import Action

UNTOLD = frozenset(
    {
        # steps within a ceremony, whose end is told
        *("ceremony_begun", "ceremony_cancelled", "face_challenge_drawn", "factor_accepted"),
        *("result_redeemed", "result_refused", "request_refused", "request_failed"),
        # what agents did among themselves, and guesses at a pass that name no case
        *("helpdesk_agreed", "helpdesk_asked", "helpdesk_login", "helpdesk_logout", "helpdesk_looked_up"),
        *("helpdesk_refused", "helpdesk_suspending", "pass_refused"),
        # what operators did with the service
        *("client_added", "client_removed", "integrity_failed", "key_rotated", "references_opened"),
        *("score_judged", "score_refused"),
        # told for some reasons alone
        *("helpdesk_alarm", "helpdesk_link_answered"),
    }
)


@pytest.fixture
def alice(world):
    return world.person().has_face()


@pytest.fixture
def told(world, alice):
    """Return the sentences of alice's newest page, newest first."""
    return lambda: [
        one.sentence for one in story_of(alice.owner.issuer, alice.owner.subject, database=world.database).told
    ]


def test_every_event_is_told_or_left_out_on_purpose():
    assert set(EVENTS) - UNTOLD <= set(SENTENCES)
    assert {name.partition(":")[0] for name in SENTENCES} <= set(EVENTS)
    assert set(EVENTS) >= UNTOLD


@pytest.mark.parametrize(
    ("face", "sentence"),
    [
        ("alice", "Your face check by link showed the helpdesk that it is you."),
        ("mallory", "A face check by the helpdesk's link showed a face that was not yours."),
    ],
)
def test_a_face_check_by_link_is_told(office, told, face, sentence):
    with nullcontext() if face == "alice" else pytest.raises(FaceRefused):
        office.checks_face(office.opens("alice"), face=face)
    assert {"The helpdesk mailed you a link to a face check.", sentence} <= set(told())
    assert "The face check of the helpdesk's link was begun." in told()


@pytest.mark.parametrize(
    ("yes", "sentence"),
    [
        (True, "Your manager confirmed to the helpdesk that it is you."),
        (False, "Your manager did not confirm to the helpdesk that it is you."),
    ],
)
def test_what_the_manager_said_is_told(office, world, told, yes, sentence):
    token = office.asks_manager(office.opens("alice"))
    office.parts.managers.answer(token, office.people.person("mia-id").owner, yes=yes, now=world.now)
    assert {"The helpdesk asked your manager to confirm that it is you.", sentence} <= set(told())


@pytest.mark.parametrize(
    ("action", "sentences"),
    [
        (Action.SUSPEND, {"The helpdesk suspended your account."}),
        (Action.UNLOCK, {"Your account was unlocked: wrong tries count from zero again."}),
        (Action.REENROL_FACE, {"Your face was removed, to be enrolled anew."}),
    ],
)
def test_what_was_done_is_told(office, told, action, sentences):
    office.does(action)
    assert sentences | {"The helpdesk carried out what was asked for about you."} <= set(told())


def test_which_factor_was_removed_is_told(office, world, alice, told):
    for target in targets_of(alice.owner, database=world.database):
        office.does(Action.RESET_FACTOR, target.id)
    assert {"Your authenticator app was removed.", "Your recovery codes were removed."} <= set(told())


def test_a_lifted_suspension_is_told_and_who_stopped_it(office, world, told):
    office.does(Action.SUSPEND)
    office.does(Action.LIFT)
    assert "The suspension of your account was lifted." in told()
    assert "The helpdesk agreed to what was asked for about you." in told()
    office.parts.aftermath.freeze(office.letters.token("stop"), now=world.now)
    assert "Your account was suspended, since the link that stops was used." in told()


def test_no_sentence_says_who_acted(office, told):
    office.does(Action.SUSPEND)
    with pytest.raises(ServiceError, match="nothing_to_do"):
        office.does(Action.SUSPEND)
    words = " ".join(told()).casefold()
    assert not any(name in words.replace(".", " ").split() for name in ("ada", "bob", "ada-id", "bob-id"))
