"""One presentation to the camera, genuine or attack, and what came of it (ISO/IEC 30107-3).

Rules:
 * What is kept are the votes of the cues. Rates, intervals and ablations are computed from them afterwards, with the
   very rule that decides logins (fusion.py).
 * Two decisions: *liveness* asks whether a living person in one piece was there, whoever it was; *system* asks in
   addition whether it was the expected one. A face that does not match the reference is no attack on liveness by
   itself, a face that changes between poses is.
 * Where a stream rule or the challenge ended a presentation, later steps were never shown; that a cue had nothing to
   measure in them is no merit of that cue, and its denial counts as that of whoever ended it.
 * A presentation that never got past the opening was not responded to; it counts as refused, and is told apart.
 * A source says whether it is simulated, and every outcome carries that.

Not here: where presentations come from (a source), rates (presentation_rates.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, Final, Protocol

from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.fusion import LivenessReport

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from biometric.liveness.session import FaceSession
    from biometric.pipeline import FacePipeline

GENUINE: Final = "genuine"
STRANGER: Final = ("identity", "another_person")
"""The vote that speaks of the system, not of liveness."""
UNSEEN: Final = frozenset(
    {("challenge", "incomplete"), ("colour", "not_measured"), ("identity", "pose_missing"), ("identity", "no_front")}
)
"""Votes against a presentation that say only that it did not come to its end."""


class Group(StrEnum):
    """What kind of presentation a species is; each has goals of its own."""

    GENUINE = "genuine"
    FLAT = "flat"  # prints, screens, recordings
    MASK = "mask"
    EXCHANGE = "exchange"  # somebody else for a part of the challenge
    SYNTHETIC = "synthetic"  # obeys like a person: not stopped by a challenge
    IMPOSTOR = "impostor"  # a living person who is somebody else: no attack on liveness


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one presentation.

    Attributes:
        species: its species, or GENUINE.
        number: its number within the species, from 0.
        simulated: whether no real camera was involved.
        person: number of the person shown.
        variant: how it was done, where a species has several ways.
        steps: what was asked.
        done: how many steps were done.
        began: whether the opening was passed.
        ended: `finished`, `failed:why`, `stream:rule`, or `unfinished`.
        frames: how many were sent.
        seconds: how long it took, on the page's clock.
        cpu_s: what it cost to make and to judge.
        votes: of every cue.
    """

    species: str
    number: int
    simulated: bool
    person: int
    variant: str
    steps: tuple[str, ...]
    done: int
    began: bool
    ended: str
    frames: int
    seconds: float
    cpu_s: float
    votes: tuple[CueResult, ...] = field(repr=False)

    def denied_by(self, *, without: Collection[str] = (), system: bool = False) -> tuple[str, ...]:
        """Return which cues refuse, in the order of the fusion; empty if it is let in.

        Args:
            without: cues that are switched off: they neither deny nor confirm.
            system: whether the expected person is asked for, too.
        """
        return self._report(without=without, system=system).denied_by

    def accepted(self, *, without: Collection[str] = (), system: bool = False) -> bool:
        """Return whether it is let in."""
        return not self.denied_by(without=without, system=system)

    def reasons(self) -> tuple[str, ...]:
        """Return what refuses in the whole system, each with its why: `planarity:flat`."""
        return self._report(system=True).reasons

    def _report(self, *, without: Collection[str] = (), system: bool) -> LivenessReport:
        denied = {vote.name for vote in self.votes if vote.verdict is Verdict.DENY}
        ended_by = "stream" if "stream" in denied else "challenge" if "challenge" in denied else None
        silent = UNSEEN if ended_by is not None else frozenset()
        votes = [
            replace(vote, verdict=Verdict.NEUTRAL)
            if ((vote.name, vote.why) in silent and vote.name != ended_by) or (not system and _is_stranger(vote))
            else vote
            for vote in self.votes
            if vote.name not in without
        ]
        return LivenessReport(tuple(votes))


class PresentationSource(Protocol):
    """Makes presentations, each of them determined by its species and number."""

    simulated: bool
    groups: Mapping[str, Group]
    """Every species it can make, GENUINE among them, and what kind it is."""

    def fingerprint(self) -> str:
        """Return a digest of everything that determines the outcomes, so that two runs are not mixed."""

    def present(self, species: str, number: int, *, pipeline: FacePipeline) -> Outcome:
        """Make one presentation and return what came of it."""


def how_it_ended(session: FaceSession) -> str:
    """Return the end of a session in one word."""
    evidence = session.evidence
    if evidence.broken:
        return f"stream:{evidence.broken}"
    if evidence.failed:
        return f"failed:{evidence.failed}"
    return "finished" if evidence.done else "unfinished"


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain values; a number that is none becomes null."""
    values = asdict(outcome)
    for vote in values["votes"]:
        vote["numbers"] = {name: value if isfinite(value) else None for name, value in vote["numbers"].items()}
    return values


def from_json(values: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `to_json` made. Raises KeyError, TypeError or ValueError for anything else."""
    rest = dict(values)
    votes = tuple(_vote(vote) for vote in rest.pop("votes"))
    rest["steps"] = tuple(rest["steps"])
    return Outcome(**rest, votes=votes)


def cues_of(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the names of all cues that voted, in their order."""
    return tuple(dict.fromkeys(vote.name for outcome in outcomes for vote in outcome.votes))


def _vote(values: Mapping[str, Any]) -> CueResult:
    return CueResult(
        name=values["name"],
        physics=Physics(values["physics"]),
        verdict=Verdict(values["verdict"]),
        why=values["why"],
        numbers={name: nan if value is None else float(value) for name, value in values["numbers"].items()},
    )


def _is_stranger(vote: CueResult) -> bool:
    return (vote.name, vote.why) == STRANGER
