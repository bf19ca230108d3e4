"""What is written when glass is broken: to the person, and to everybody who could have asked or stopped it.

Rules:
 * The person gets a link that stops it, from the first letter on. Colleagues get the address of the case, where they
   have to sign in: mail is read by others, so their letter names nobody, and nothing that somebody chose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugin.helpdesk.letters import Letter

if TYPE_CHECKING:
    from collections.abc import Mapping

_STOP: Final = """If you did not ask for this, stop it now:

{link}

The link works for a week. Nobody from the helpdesk will ever ask you for it.
"""
_LOOK: Final = """Look at the case now. If you do not know why this is done, stop it there, and speak to who asked:

{link}

This went to everybody who can approve or break glass, to those who did it, too: if your name stands there and it was
not you, stop it and report it.
"""
ASKED: Final = "asked"
SHOWN: Final = "shown"
TO_THE_PERSON: Final[Mapping[str, Letter]] = {
    ASKED: Letter(
        "Emergency: your helpdesk wants to let you in without the usual proofs",
        "Your helpdesk has asked for an emergency way into your account, because what it otherwise demands as a proof "
        "cannot be had. A second person has to agree.\n\n" + _STOP,
    ),
    SHOWN: Letter(
        "Emergency: a pass to your account was handed out",
        "Two people of your helpdesk have made a pass with which the second factor of your account can be replaced, "
        "without the usual proofs. It works for ten minutes, with your password and your face.\n\n" + _STOP,
    ),
}
TO_COLLEAGUES: Final[Mapping[str, Letter]] = {
    ASKED: Letter(
        "Break glass: somebody asks for a pass without the proofs",
        "At your helpdesk somebody has asked to break glass: a pass without the proofs that policy demands.\n\n"
        + _LOOK,
    ),
    SHOWN: Letter(
        "Break glass: a pass was made without the proofs",
        "At your helpdesk two people have broken glass: a pass was made without the proofs that policy demands, and "
        "shown to one of them. It works for ten minutes.\n\n" + _LOOK,
    ),
}


def filled(letter: Letter, *, link: str) -> Letter:
    """Return the letter with its link."""
    return Letter(letter.subject, letter.text.format(link=link))
