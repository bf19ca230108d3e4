"""How each proof of a case stands, as the case page says it. Words only: no score, no picture, no address.

Not here: who may note or ask (desk.py, face_checks.py, managers.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugin.helpdesk.asked_proofs import MOST
from plugin.helpdesk.links import LinkState
from plugin.helpdesk.policy import LIVE_FACE, MANAGER, NOTED, PROOFS
from plugin.helpdesk.types import CaseState

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.links import LinkView
    from plugin.helpdesk.parts import Helpdesk
    from plugin.helpdesk.types import CaseView

STATES: Final = ("done", "missing", "sent", "opened", "expired", "unfinished", "not_matched", "not_live", "refused")
_LATE: Final = {LinkState.SENT: "expired", LinkState.OPENED: "unfinished", LinkState.TRIED: "not_live"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One proof.

    Attributes:
        proof: one of policy.PROOFS.
        state: one of STATES.
        until: when a link that is under way ends.
        noted: agents note it themselves.
        may_ask: it can be asked for now.
        left: how often it can still be asked for.
    """

    proof: str
    state: str
    until: datetime | None
    noted: bool
    may_ask: bool
    left: int

    @property
    def is_bad(self) -> bool:
        """Tell whether somebody answered, and not as the caller would want."""
        return self.state in {LinkState.NOT_MATCHED, LinkState.NOT_LIVE, LinkState.REFUSED}


def standing_of(case: CaseView, helpdesk: Helpdesk, *, now: datetime) -> list[Standing]:
    """Return how every proof stands that the case demands or has, in the order of PROOFS."""
    return [_one(proof, case, helpdesk, now=now) for proof in PROOFS if proof in {*case.demanded, *case.proofs}]


def addable(case: CaseView, helpdesk: Helpdesk, *, now: datetime) -> list[str]:
    """Return what an agent may note or ask for though policy does not demand it; some actions need more than a case."""
    may = {LIVE_FACE: helpdesk.face_checks.may_ask, MANAGER: helpdesk.managers.may_ask}
    noted = [proof for proof in NOTED if proof not in {*case.demanded, *case.proofs}]
    return noted + [proof for proof, ask in may.items() if proof not in case.demanded and ask(case, now=now)]


def _one(proof: str, case: CaseView, helpdesk: Helpdesk, *, now: datetime) -> Standing:
    done = proof in case.proofs
    if proof in NOTED:
        return Standing(proof, "done" if done else "missing", None, noted=True, may_ask=False, left=0)
    links = helpdesk.links.of(case.id, proof=proof)
    last = links[-1] if links else None
    if last is not None and case.state is not CaseState.OPEN and last.is_under_way(now=now):
        last = None  # whoever answers now is not heard
    under_way = last is not None and last.is_under_way(now=now)
    ask = helpdesk.face_checks.may_ask if proof == LIVE_FACE else helpdesk.managers.may_ask
    return Standing(
        proof,
        "done" if done else _state(last, now=now),
        last.expires_at if last is not None and under_way else None,
        noted=False,
        may_ask=ask(case, now=now),
        left=MOST - len(links),
    )


def _state(last: LinkView | None, *, now: datetime) -> str:
    if last is None:
        return "missing"
    if not last.is_under_way(now=now):
        return _LATE.get(last.state, last.state.value)
    return LinkState.OPENED.value if last.state is LinkState.TRIED else last.state.value
