"""A form that cannot be read says which field is wrong and what to do, and repeats nothing that was typed."""

from __future__ import annotations

import pytest

from tests.plugin.helpdesk.console import open_console

GOOD = {"name": "alice", "ticket": "T-1", "reason": "phone lost"}


@pytest.fixture
def ada(office):
    console = open_console(office)
    console.signs_in("ada")
    return console


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "  "}, "The field “User name” is empty."),
        ({"ticket": ""}, "The field “Ticket number” is empty."),
        ({"ticket": "T" * 65}, "The field “Ticket number” is too long: at most 64 characters."),
        ({"reason": "x" * 501}, "The field “What happened” is too long: at most 500 characters."),
        ({"reason": "lost\tit-secret"}, "The field “What happened” holds a character that cannot be shown"),
        ({"reason": "lost\0it-secret"}, "A field holds a character that cannot be kept."),
    ],
)
def test_the_field_is_named(ada, changed, said):
    for path in ("/cases", "/suspend"):
        answer = ada.post(path, **GOOD | changed)
        assert answer.status_code == 400
        assert said in answer.text
        assert "could not be read" not in answer.text
        assert "it-secret" not in answer.text


def test_a_field_that_was_not_sent_is_named(ada):
    assert "“User name” is empty" in ada.post("/cases", ticket="T-1", reason="x").text


@pytest.mark.parametrize(
    ("to", "sent", "said"),
    [
        ("/proofs", {"proof": "mothers_name"}, "Choose a proof that is listed"),
        ("/ask", {"action": "give_all"}, "Choose what is to be done"),
        ("/ask", {"action": "reset_factor \u00fc"}, "Choose what it is about"),
        ("/decide", {}, "Choose one of the two answers."),
        ("/close", {"origin": "https://evil.example"}, "This form did not come from our own page"),
    ],
)
def test_every_form_of_a_case_says_what_to_do(ada, to, sent, said):
    answer = ada.post(f"{ada.opens()}{to}", **sent)
    assert (answer.status_code, said in answer.text) == (400, True)


def test_the_pages_behind_letters_say_it_too(ada, office, world):
    world.person().has_face()
    office.parts.face_checks.ask(office.agent(), ada.opens().rpartition("/")[2], now=world.now)
    answer = ada.post(f"/check/{office.letters.token('check')}", answer="perhaps")
    assert (answer.status_code, "Choose one of the two answers." in answer.text) == (400, True)
