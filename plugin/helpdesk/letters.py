"""What the helpdesk writes to people. Plain text, short, no name of the caller's own choosing.

Rules:
 * The pass goes to the first address on record, in a letter of its own. Every other word goes to all addresses.
 * Every letter about a recovery says how to stop it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_STOP: Final = """If you did not ask for this, stop it now:

{link}

Nobody from the helpdesk will ever ask you for the pass or for this link.
"""

_WAS_NOT_ME: Final = """If it was not you, stop it now:

{link}

The link works for a week. Nobody from the helpdesk will ever ask you for it.
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject line and text."""

    subject: str
    text: str


def the_pass(code: str, *, expires_at: datetime) -> Letter:
    """Return the letter that brings the pass."""
    return Letter(
        "Your pass to get back in",
        f"""Your helpdesk has opened a way back into your account. Your pass is

    {code}

It works once, until {expires_at:%Y-%m-%d %H:%M} UTC; be done with everything by then. Log in with your password as
always, choose "I cannot use my factors" and enter it. The camera then checks that it is you, and you set up a new
phone or key.

Do not tell it to anybody, and do not type it anywhere but on the login page. Nobody from the helpdesk needs it.
""",
    )


def issued(*, link: str) -> Letter:
    """Return the letter that tells all addresses of a pass."""
    return Letter(
        "Your helpdesk is resetting your second factor",
        "A pass was issued with which the second factor of your account can be replaced.\n\n" + _STOP.format(link=link),
    )


def face_check(*, link: str, ends: datetime) -> Letter:
    """Return the letter with which the caller shows their face."""
    return Letter(
        "Show your helpdesk that it is you",
        f"""Did you call your helpdesk yourself, just now? Then open this link where you want to use the camera:

    {link}

It works once, until {ends:%Y-%m-%d %H:%M} UTC, in the one browser in which you press the button. The camera checks
that you are there and that it is you. Your helpdesk hears yes or no, and sees no picture.

Did somebody call or write to you and ask you to open it? Then do not look into the camera: they want to get into your
account. Open the link and press "I did not call", or tell your helpdesk on the number you know.
Never send this link to anybody.
""",
    )


def manager_asked(*, link: str, ends: datetime) -> Letter:
    """Return the letter that asks a manager to confirm. It names nobody: mail is read by others."""
    return Letter(
        "Your helpdesk asks for your word",
        f"""Somebody you manage has called the helpdesk and cannot sign in. You can find out better than we whether it
really is them: talk to them, face to face or on the number you know, before you answer. Then sign in here:

    {link}

You see there who it is and who asks. The link works until {ends:%Y-%m-%d %H:%M} UTC, and for you alone.
Nobody will ever call you to hurry this. If somebody does, say no.
""",
    )


def shown(*, link: str) -> Letter:
    """Return the letter that tells all addresses of a pass that an agent was shown."""
    return Letter(
        "Your helpdesk is resetting your second factor",
        "A pass with which the second factor of your account can be replaced was handed out by your helpdesk in "
        "person, not by mail.\n\n" + _STOP.format(link=link),
    )


def used() -> Letter:
    """Return the letter that tells all addresses that the pass was used."""
    return Letter(
        "The pass for your account was used",
        "Somebody who knows your password has used the pass that your helpdesk issued. The camera checks now whether "
        "it is you.\n\nIf it is not you, use the link in our letter about the pass, or call your helpdesk.\n",
    )


def bound(*, link: str) -> Letter:
    """Return the letter that tells all addresses of the new factor."""
    return Letter(
        "Your second factor was replaced",
        "A new second factor was set up for your account. The ones before no longer work, and all sessions were "
        "ended.\n\n" + _WAS_NOT_ME.format(link=link),
    )


def code_used(*, link: str) -> Letter:
    """Return the letter that tells all addresses that a saved code was used to replace what was lost."""
    return Letter(
        "A saved recovery code was used to replace your second factor",
        "Somebody who knows your password has used one of your saved recovery codes, to set up a new second factor. "
        "The camera checks now whether it is you.\n\n" + _WAS_NOT_ME.format(link=link),
    )


def code_used_once(*, link: str) -> Letter:
    """Return the letter that tells all addresses that a saved code was used to log in."""
    return Letter(
        "A saved recovery code was used",
        "Somebody who knows your password has used one of your saved recovery codes in place of your phone or key. The "
        "camera checks now whether it is you; after that you are offered a new set.\n\n"
        + _WAS_NOT_ME.format(link=link)
        + "\nThen make new codes on your own page, since somebody has seen yours.\n",
    )


def new_face_asked(*, link: str) -> Letter:
    """Return the letter that tells all addresses that somebody wants to enrol another face."""
    return Letter(
        "Somebody wants to enrol a new face for your account",
        "Somebody with your password and a second factor of yours has asked to replace the face that is enrolled. We "
        "are sending a code to your first address; nothing changes without it.\n\n" + _WAS_NOT_ME.format(link=link),
    )


def mailed_code(code: str, *, expires_at: datetime) -> Letter:
    """Return the letter that brings the code."""
    return Letter(
        "Your code to enrol a new face",
        f"""You asked to replace the face that is enrolled for your account. Your code is

    {code}

It works once, until {expires_at:%Y-%m-%d %H:%M} UTC, in the browser in which you asked for it. If you did not ask, do
not tell it to anybody: use the link in our other letter.
""",
    )


def face_replaced(*, link: str) -> Letter:
    """Return the letter that tells all addresses of the new face."""
    return Letter(
        "A new face was enrolled for your account",
        "Another face was enrolled in place of the one before, and all sessions were ended.\n\n"
        + _WAS_NOT_ME.format(link=link),
    )


def codes_renewed(*, link: str) -> Letter:
    """Return the letter that tells all addresses of new recovery codes."""
    return Letter(
        "You have new recovery codes",
        "New recovery codes were made for your account; the ones before no longer work.\n\n"
        + _WAS_NOT_ME.format(link=link),
    )
