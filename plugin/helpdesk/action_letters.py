"""What the helpdesk writes to people about an action other than the pass; the rules of letters.py hold.

A suspension and an erasure have no link: there is nothing left that could be stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugin.helpdesk.letters import Letter
from plugin.helpdesk.types import Action

if TYPE_CHECKING:
    from plugin.helpdesk.types import CaseView

_STOP: Final = """
If you did not ask for this, stop it now; your account is then locked until your helpdesk has spoken to you:

    {link}

Nobody from the helpdesk will ever ask you for this link.
"""
_CALL: Final = """
If you did not expect this, call your helpdesk on the number you know.
"""
_FACTORS: Final = {"app": "authenticator app", "codes": "set of recovery codes", "passkey": "passkey or security key"}
_TEXTS: Final[dict[Action, tuple[str, str, str]]] = {
    Action.RESET_FACTOR: (
        "One of your factors was removed",
        """Your helpdesk has removed the {factor} from your account. It opens nothing any more, and all sessions
were ended.
""",
        _STOP,
    ),
    Action.REENROL_FACE: (
        "Your enrolled face was removed",
        """Your helpdesk has removed the enrolled face from your account, and all sessions were ended. To log in
again you need your second factor and a code that we then send to you.
""",
        _STOP,
    ),
    Action.UNLOCK: (
        "Your second factor can be tried again",
        """After too many failed tries your account had been locked. Your helpdesk is unlocking it.
""",
        _STOP,
    ),
    Action.LIFT: (
        "Your account is being opened again",
        """Your account had been suspended. Your helpdesk is lifting that; all your factors work as before.
""",
        _STOP,
    ),
    Action.SUSPEND: (
        "Your account was suspended",
        """Your helpdesk has suspended your account, and all sessions were ended. Nobody can log in with it until
two people of the helpdesk lift that.
""",
        _CALL,
    ),
    Action.ERASE: (
        "Your factors were erased",
        """Your helpdesk has erased your enrolled face and every factor of your account here, and all sessions
were ended. To log in again you need an enrolment code from your helpdesk.
""",
        _CALL,
    ),
}


def told(case: CaseView, *, link: str) -> Letter:
    """Return the letter that tells all addresses what a case has done."""
    if case.action not in _TEXTS:
        raise KeyError(case.action)
    subject, text, ending = _TEXTS[case.action]
    factor = _FACTORS.get(case.target.partition(":")[0], "")
    return Letter(subject, text.format(factor=factor) + ending.format(link=link))
