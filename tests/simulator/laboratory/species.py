"""The species of presentations: how each is made for one case. All of them are simulated.

A species' numbers run through its variants (how a print is bent, what a film is shown on, how late light is put in),
so that one lucky parameter does not decide a whole species.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from biometric.evaluation.presentation import GENUINE, Group
from biometric.liveness.challenge import COLOURS
from tests.biometric.liveness.rig import FRAME_MS, light_of
from tests.simulator import Habits, Person, attacks
from tests.simulator.attacks.prints import IN_HANDS
from tests.simulator.clips import PROMPT, record_clip
from tests.simulator.laboratory.surroundings import Before, EncodedAnew

if TYPE_CHECKING:
    import random

    from tests.simulator import Actor
    from tests.simulator.clips import Clip
    from tests.simulator.laboratory.people import Sitter

FPS = 1000 / FRAME_MS  # as the page that is lied to takes pictures: each frame of a recording is sent once
BRIGHTNESS = (0.6, 1.6)  # of the screen's light against the usual room (light.py: 8 % of the room's for a white screen)
SEEN_MS, LIT_FRAMES = 200.0, 5  # of each colour in a recording that is sorted: when the camera has seen it, how many
NEAR = frozenset({"closer", "flash"})


@dataclass(frozen=True, slots=True)
class Case:
    """One presentation: whose face, whose help, which chance."""

    victim: Sitter
    other: Sitter
    seed: int
    rng: random.Random
    recording: Callable[[], list[bytes]]
    """What was sent in an earlier genuine login of the victim: its own challenge, its own colours."""
    turn_ms: tuple[float, float] | None = None  # how long a living person's turn takes; None leaves it to chance


@dataclass(frozen=True, slots=True)
class Made:
    """An actor and how it was made."""

    actor: Actor
    variant: str = ""
    injected: bool = False  # no camera was before it


Maker = Callable[[Case], Made]


def draw_habits(rng: random.Random) -> Habits:
    """Return how somebody moves: people differ in haste, reach, distance and calm."""
    turn_ms = rng.uniform(550, 850)
    smallest = rng.uniform(22, 29)
    slowest = rng.uniform(300, 500)
    return Habits(
        reaction_ms=(slowest - 80, slowest + 150),
        turn_deg=(smallest, smallest + 5),
        turn_ms=(turn_ms, turn_ms + 250),
        blink_ms=(rng.uniform(200, 240), rng.uniform(250, 310)),
        smile_ms=rng.uniform(300, 600),
        distance_m=rng.uniform(0.43, 0.58),
        sway=rng.uniform(0.6, 1.5),
    )


def _genuine(case: Case) -> Made:
    habits = draw_habits(case.rng)
    habits = habits if case.turn_ms is None else replace(habits, turn_ms=case.turn_ms)
    return Made(Person(case.victim.subject, seed=case.seed, habits=habits))


def bent_to(radius_m: float) -> Maker:
    """Return how a print bent to a given radius is made."""
    return lambda case: Made(_print(case, radius_m), f"radius {100 * radius_m:.0f} cm")


def _print(case: Case, radius_m: float | None) -> attacks.PrintedPhoto:
    victim = case.victim
    return attacks.PrintedPhoto(
        victim.photo, seed=case.seed, bend_radius_m=radius_m, habits=IN_HANDS, portrait=victim.portrait
    )


def _bent(case: Case) -> Made:
    return bent_to(case.rng.uniform(0.065, 0.14))(case)


def _cut_out(case: Case) -> Made:
    radius_m = case.rng.choice([None, 0.10, 0.12])
    wearer, victim = case.other.subject, case.victim
    mask = attacks.CutOutEyes(victim.photo, wearer, seed=case.seed, bend_radius_m=radius_m, portrait=victim.portrait)
    return Made(mask, "flat" if radius_m is None else f"radius {100 * radius_m:.0f} cm")


def _injected(case: Case) -> attacks.Injected:
    return attacks.Injected(case.recording(), fps=FPS)


def _replay(case: Case, devices: Mapping[str, attacks.Device]) -> Made:
    name, closer = case.rng.choice(sorted(devices)), case.rng.choice([attacks.Closer.HANDS, attacks.Closer.ZOOM])
    film = [attacks.Injected([jpeg]).frame(0) for jpeg in case.recording()]
    return Made(
        attacks.FilmOnScreen(film, seed=case.seed, fps=FPS, device=devices[name], closer=closer), f"{name}, {closer}"
    )


PHONES: Final = {"phone": attacks.PHONE}
TABLETS: Final = {"tablet": attacks.TABLET, "tablet without bezel": attacks.TABLET_CLOSE}


def _still(case: Case) -> Made:
    devices = PHONES | TABLETS
    name, closer = case.rng.choice(sorted(devices)), case.rng.choice([attacks.Closer.HANDS, attacks.Closer.ZOOM])
    still = case.victim.subject.render(Person(case.victim.subject, seed=case.seed).pose(0))
    return Made(attacks.StillOnScreen(still, seed=case.seed, device=devices[name], closer=closer), f"{name}, {closer}")


class Clips(dict[str, "Clip"]):
    """Clips of the victim, each recorded when it is first needed."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._subject, self._seed = case.victim.subject, case.seed

    def __missing__(self, name: str) -> Clip:
        action, count = name.split(":")
        person = Person(self._subject, seed=self._seed, habits=PROMPT)
        return self.setdefault(name, record_clip(person, action, int(count)))


def _anew(case: Case, actor: Actor, variant: str) -> Made:
    if case.rng.random() < 0.5:
        return Made(EncodedAnew(actor, seed=case.seed), f"{variant}encoded anew", injected=True)
    return Made(actor, f"{variant}byte for byte", injected=True)


def _relit(case: Case) -> Made:
    delay_ms, shape = case.rng.uniform(80, 250), case.rng.choice(list(attacks.Shape))
    cuts = case.rng.random() < 0.5
    inner = attacks.CutClips(Clips(case)) if cuts else _injected(case)
    actor = EncodedAnew(attacks.Relit(inner, delay_ms=delay_ms, shape=shape), seed=case.seed)
    return Made(actor, f"{'clips' if cuts else 'recording'}, {delay_ms:.0f} ms late, {shape}", injected=True)


def _synthetic(case: Case) -> Made:
    delay_ms, shape = case.rng.uniform(80, 250), case.rng.choice(list(attacks.Shape))
    puppet = Person(case.victim.subject, seed=case.seed, habits=draw_habits(case.rng))
    return Made(
        attacks.Relit(puppet, delay_ms=delay_ms, shape=shape), f"{delay_ms:.0f} ms late, {shape}", injected=True
    )


def _mask(case: Case) -> Made:
    holes = case.rng.random() < 2 / 3
    habits = draw_habits(case.rng)
    mask = attacks.RigidMask(case.victim.subject, case.other.subject, seed=case.seed, holes=holes, habits=habits)
    return Made(mask, "eyes behind holes" if holes else "painted eyes")


def _puppet(case: Case) -> Made:
    name = case.rng.choice(sorted(TABLETS))
    puppet = Person(case.victim.subject, seed=case.seed, habits=draw_habits(case.rng))
    return Made(attacks.PuppetOnScreen(puppet, seed=case.seed, device=TABLETS[name]), name)


def _takes_over(case: Case) -> Made:
    mine, other = (Person(sitter.subject, seed=case.seed + k) for k, sitter in enumerate((case.victim, case.other)))
    part, picks = case.rng.choice([("turn", lambda action: action.startswith("turn")), ("near", NEAR.__contains__)])
    return Made(attacks.Relay(mine, other, takes_over=picks), f"for {part}")


def _print_first(case: Case) -> Made:
    own = Person(case.other.subject, seed=case.seed + 1)
    return Made(attacks.Relay(_print(case, None), own, takes_over=lambda action: action != "centre"))


def _spliced(case: Case) -> Made:
    person = Person(case.other.subject, seed=case.seed, habits=draw_habits(case.rng))
    when, pasted, gaps = case.rng.choice(list(attacks.When)), case.rng.random() < 0.5, case.rng.random() < 0.5
    shape, relit = attacks.Shape.ROUND, case.rng.random() < 0.5
    tint = attacks.Tint(delay_ms=case.rng.uniform(80, 250), shape=shape) if relit else None
    own = Before(person, brightness=case.rng.uniform(*BRIGHTNESS))
    actor = attacks.Spliced(
        person, own, case.victim.subject, when=when, pasted=pasted, gaps=gaps, tint=tint, seed=case.seed
    )
    how = f"{when}, {'pasted' if pasted else 'whole'}{', gaps' if gaps else ''}, {'relit' if relit else 'own light'}"
    return Made(actor, how, injected=True)


def _foreseen(case: Case) -> Made:
    person = Person(case.other.subject, seed=case.seed, habits=draw_habits(case.rng))
    where, pasted, gaps = case.rng.choice(list(attacks.Where)), case.rng.random() < 0.5, case.rng.random() < 0.5
    shape, relit = attacks.Shape.ROUND, case.rng.random() < 0.5
    tint = attacks.Tint(delay_ms=case.rng.uniform(80, 250), shape=shape) if relit else None
    own = Before(person, brightness=case.rng.uniform(*BRIGHTNESS))
    actor = attacks.Foreseen(
        person, own, case.victim.subject, where=where, pasted=pasted, gaps=gaps, tint=tint, seed=case.seed
    )
    how = f"{where}, {'pasted' if pasted else 'whole'}{', gaps' if gaps else ''}, {'relit' if relit else 'own light'}"
    return Made(actor, how, injected=True)


def _sorted_light(case: Case) -> Made:
    puppet = Person(case.victim.subject, seed=case.seed, habits=draw_habits(case.rng))
    recorded = Person(case.victim.subject, seed=case.seed + 1, habits=puppet.habits)
    recorded.show("closer", 1, 0.0)
    camera, lit, at_ms = Before(recorded, brightness=case.rng.uniform(*BRIGHTNESS)), {}, 3000.0
    for colour in map(light_of, COLOURS):
        camera.light(colour, at_ms)
        lit[colour] = [camera.frame(at_ms + SEEN_MS + FRAME_MS * number) for number in range(LIT_FRAMES)]
        at_ms += SEEN_MS + FRAME_MS * LIT_FRAMES
    delay_ms = case.rng.uniform(80, 250)
    actor = attacks.SortedLight(puppet, lit=lit, delay_ms=delay_ms, seed=case.seed)
    return Made(actor, f"{delay_ms:.0f} ms late", injected=True)


SPECIES: Final[Mapping[str, tuple[Group, Maker]]] = {
    GENUINE: (Group.GENUINE, _genuine),
    "flat_print": (Group.FLAT, lambda case: Made(_print(case, None))),
    "bent_print": (Group.FLAT, _bent),
    "cut_out_print": (Group.FLAT, _cut_out),
    "phone_replay": (Group.FLAT, lambda case: _replay(case, PHONES)),
    "tablet_replay": (Group.FLAT, lambda case: _replay(case, TABLETS)),
    "still_on_screen": (Group.FLAT, _still),
    "injected_recording": (Group.FLAT, lambda case: _anew(case, _injected(case), "")),
    "injected_recording_with_cuts": (Group.FLAT, lambda case: _anew(case, attacks.CutClips(Clips(case)), "")),
    "relit_injection": (Group.FLAT, _relit),
    "rigid_mask": (Group.MASK, _mask),
    "puppet_on_screen": (Group.SYNTHETIC, _puppet),
    "live_relit_synthesis": (Group.SYNTHETIC, _synthetic),
    "other_person_takes_over": (Group.EXCHANGE, _takes_over),
    "print_then_own_face": (Group.EXCHANGE, _print_first),
    "stills_in_own_login": (Group.EXCHANGE, _spliced),
    "stills_in_foreseen_frames": (Group.EXCHANGE, _foreseen),
    "light_sorted_recording": (Group.SYNTHETIC, _sorted_light),
    "other_person": (
        Group.IMPOSTOR,
        lambda case: Made(Person(case.other.subject, seed=case.seed, habits=draw_habits(case.rng))),
    ),
}
"""In the order of reports: the ten that have goals, then what is harder, then what is no attack on liveness."""
