"""What the face factor answers: which step comes next, how far the challenge is, and no."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from biometric.liveness.challenge import StepKind
from plugin.errors import FactorRejected

if TYPE_CHECKING:
    from biometric.liveness.challenge import Colour
    from biometric.liveness.session import FaceSession
    from plugin.ceremonies.types import CeremonyView

CENTRE: Final = "centre"


class FaceRefused(FactorRejected):
    """No. `code` is public; `may_retry`: the ceremony goes on. `another` face than the enrolled one is for agents."""

    def __init__(self, code: str, detail: str, *, may_retry: bool, another: bool = False) -> None:
        super().__init__(code, detail)
        self.may_retry = may_retry
        self.another = another


@dataclass(frozen=True, slots=True)
class FaceStep:
    """What the page asks for. Index -1 is the look straight at the camera before the first step."""

    index: int
    action: str
    count: int
    colours: tuple[Colour, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceChallenge:
    """A challenge was drawn; only its first step is revealed."""

    step: FaceStep
    steps_total: int
    deadline_ms: int
    chain_key: bytes = field(repr=False)
    view: CeremonyView


@dataclass(frozen=True, slots=True)
class FaceProgress:
    """`state` is go_on, next_step or finished; then `view` stands at DONE, in a recovery at the set-up that follows."""

    state: str
    hint: str | None
    step: FaceStep | None
    view: CeremonyView


def step_of(session: FaceSession, index: int) -> FaceStep:
    """Return what the page asks for at this place in the challenge."""
    if index < 0:
        return FaceStep(index=-1, action=CENTRE, count=1)
    step = session.evidence.steps[index]
    colours = session.evidence.colours if step.kind is StepKind.FLASH else ()
    return FaceStep(index=index, action=step.kind.value, count=step.count, colours=colours)
