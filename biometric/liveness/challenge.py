"""What the person is asked to do, drawn by the server.

Rules:
 * Always exactly one turn, one blink count and one smile, so that geometry can be measured whatever is drawn; their
   order, the side and the count are chance: 36 challenges.
 * Then coming closer, and, unless declined, the colours: near, the screen lights the face twice as strongly as at
   rest (1.4 times as near). The colours are chance: 90,000 sequences.
 * A random pause precedes each step. A recording of an earlier login that happens to hold the right actions in the
   right order still performs them at its own times, before they are asked for, and then they do not count (steps/).
 * Chance is an argument; production passes `secrets.SystemRandom()`.

Not here: whether a step was done (steps/), when it is revealed (session.py), that a challenge is used once (the
ceremonies').
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

MAX_BLINKS: Final = 3
MAX_STEPS: Final = 8
# 0.3 s is about the spread of one person's reaction time, 1.1 s keeps a whole challenge below ten seconds.
PAUSE_MS: Final = (300, 1100)

Colour = tuple[int, int, int]
"""Red, green, blue of sRGB, 0 to 255."""

# Relative luminance 0.30 (WCAG 2.2) each, as far from grey as that allows: what changes is colour, never brightness.
COLOURS: Final[tuple[Colour, ...]] = (
    (255, 93, 93),
    (0, 174, 0),
    (135, 135, 255),
    (0, 166, 166),
    (255, 39, 255),
    (153, 153, 0),
)
FLASHES: Final = 7
HOLD_MS: Final = 500  # two changes a second: WCAG 2.3.1 allows three flashes, which are six
_LEAST_DIFFERENT: Final = 4


class StepKind(StrEnum):
    """An action; left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    BLINK = "blink"
    SMILE = "smile"
    CLOSER = "closer"
    FLASH = "flash"

    @property
    def is_turn(self) -> bool:
        """Whether the head is to be turned."""
        return self in {StepKind.TURN_LEFT, StepKind.TURN_RIGHT}

    @property
    def is_near(self) -> bool:
        """Whether the face is nearer in it than at rest."""
        return self in {StepKind.CLOSER, StepKind.FLASH}


@dataclass(frozen=True, slots=True)
class Step:
    """One action; `count` is how often, and only a blink has more than one."""

    kind: StepKind
    count: int = 1

    def __post_init__(self) -> None:
        most = MAX_BLINKS if self.kind is StepKind.BLINK else 1
        if not 1 <= self.count <= most:
            raise ValueError(f"{self.kind} cannot be asked {self.count} times")

    def __str__(self) -> str:
        return f"{self.kind}:{self.count}" if self.kind is StepKind.BLINK else str(self.kind)


def draw_challenge(rng: Random, *, light: bool = True) -> tuple[Step, ...]:
    """Return the steps of a new challenge; without `light` the person has declined the colours."""
    steps = [
        Step(rng.choice((StepKind.TURN_LEFT, StepKind.TURN_RIGHT))),
        Step(StepKind.BLINK, rng.randint(1, MAX_BLINKS)),
        Step(StepKind.SMILE),
    ]
    rng.shuffle(steps)
    near = (Step(StepKind.CLOSER), Step(StepKind.FLASH)) if light else (Step(StepKind.CLOSER),)
    return (*steps, *near)


def draw_colours(rng: Random) -> tuple[Colour, ...]:
    """Return what the screen shows in the step FLASH, one colour after another, none twice in a row.

    At least four different ones, so that every channel has something to say.
    """
    while True:
        drawn = [rng.choice(COLOURS)]
        while len(drawn) < FLASHES:
            drawn.append(rng.choice([colour for colour in COLOURS if colour is not drawn[-1]]))
        if len(set(drawn)) >= _LEAST_DIFFERENT:
            return tuple(drawn)


def draw_pauses(rng: Random, steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Return the milliseconds to wait before each of `steps` is revealed."""
    return tuple(rng.randint(*PAUSE_MS) for _ in steps)


_WORDS: Final[dict[str, StepKind]] = {
    "turn_left": StepKind.TURN_LEFT,
    "left": StepKind.TURN_LEFT,
    "look_left": StepKind.TURN_LEFT,
    "turn_right": StepKind.TURN_RIGHT,
    "right": StepKind.TURN_RIGHT,
    "look_right": StepKind.TURN_RIGHT,
    "blink": StepKind.BLINK,
    "blinks": StepKind.BLINK,
    "smile": StepKind.SMILE,
    "closer": StepKind.CLOSER,
    "flash": StepKind.FLASH,
}
_STEP: Final = re.compile(
    r"""
    (?: (?P<before>[1-3]) \s* x? \s* )?             # 2 x blink
    (?P<word> (?:turn|look)[\s_-]*(?:left|right) | left | right | blinks? | smile | closer | flash )
    (?: [\s:=*_-]* x? (?P<after>[0-9]+) (?:\s*(?:x|times)\b)? | \s* \( \s* (?P<inside>[0-9]+) \s* \) | \s*\(\s*\) )?
    """,
    re.VERBOSE,
)
_BETWEEN: Final = re.compile(r"(?:[\s;,|+/>&\[\]\"']|->|\bthen\b|\band\b)*")


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read steps as people write them: `turn_left;blink:2;smile`, `left, blink(2) smile`, `turn-left|blink2|smile`.

    Raises:
        ValueError: a word is no step, a count is impossible, or there is nothing.
    """
    rest, found = text.strip().lower(), []
    while rest := rest[_end(_BETWEEN, rest) :]:
        match = _STEP.match(rest)
        if match is None:
            raise ValueError(f"not a step: {rest[:40]!r}")
        kind = _WORDS[re.sub(r"[\s_-]+", "_", re.sub(r"^(turn|look)[\s_-]*", r"\1_", match["word"]))]
        count = match["before"] or match["after"] or match["inside"] or "1"
        found.append(Step(kind, int(count)))
        rest = rest[match.end() :]
    if not 1 <= len(found) <= MAX_STEPS:
        raise ValueError(f"{len(found)} steps; between 1 and {MAX_STEPS} make a challenge")
    return tuple(found)


def _end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
