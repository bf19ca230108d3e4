"""The link that stops, all the way: out of a letter that came by SMTP, pressed in a browser that knows nobody."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from plugin.ceremonies.types import Purpose
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.helpdesk.types import CaseState
from plugin.mail import SmtpPost
from tests.fakes.mailbox import Mailbox
from tests.plugin.helpdesk.console import open_console
from tests.plugin.helpdesk.office import Letters, open_office
from tests.plugin.pages.own_page import browser_at


class ByMail(Letters):
    """The real post; what was sent is what the mailbox got."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        server = f"smtp://127.0.0.1:{mailbox.port}"
        self._post = SmtpPost(
            SimpleNamespace(mail_server=server, mail_from="desk@example.org", mail_password_file=None)
        )

    def send(self, addresses, *, subject, text):
        self._post.send(addresses, subject=subject, text=text)

    @property
    def sent(self):
        heads = (head.partition(": ") for head in self._mailbox.heads)
        return [(to, subject, text) for (to, _, subject), text in zip(heads, self._mailbox.letters, strict=True)]


@pytest.fixture
def office(world):
    with Mailbox() as mailbox:
        yield open_office(world, letters=ByMail(mailbox))


@pytest.fixture
def alice(world, office):
    person = world.person().has_face()
    world.passes(seconds=3600)
    return person


def link_in(office, address: str) -> str:
    """Return the way of the link in the newest letter at this address, as the person's browser opens it."""
    letter = [text for text in office.letters.to(address) if "/helpdesk/stop/" in text][-1]
    return re.search(re.escape(office.world.settings.issuer) + r"/helpdesk(/stop/\S+)", letter)[1]


def presses(office, link) -> None:
    """Look, and press the button; a second press finds nothing."""
    browser = open_console(office)
    assert browser.get(link).status_code == 200
    assert office.people.ended == []
    assert browser.post(link).status_code == 200
    assert browser.post(link).status_code == browser.get(link).status_code == 410


def test_a_pass_that_nobody_asked_for_is_stopped_from_the_letter(office, world, alice):
    own = browser_at(world)
    own.signs_in()
    code = office.issued()
    login = alice.proves_totp()
    case = office.desk.mine(office.agent(), now=world.now)[0]
    presses(office, link_in(office, "alice@home.example"))
    assert office.desk.case(office.agent(), case.id, now=world.now).state is CaseState.FROZEN
    assert office.people.ended == ["alice-id"]
    assert office.alarms() == ["frozen_by_owner"]
    assert own.get().status_code == 401
    with pytest.raises(CeremonyRefused):
        alice.shows("alice", login)
    with pytest.raises(FactorRejected):
        office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), code, now=world.now)


def test_a_phone_that_was_bound_is_stopped_from_the_letter_about_it(office, world, alice):
    view = office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), office.issued(), now=world.now)[0]
    view = alice.sets_up_totp(alice.shows("alice", view))
    office.parts.aftermath.bound(view, now=world.now)
    office.people.ended.clear()
    presses(office, link_in(office, "alice@home.example"))
    assert office.people.ended == ["alice-id"]
    with pytest.raises(FactorRejected):
        alice.proves_totp()
