"""Draw contact sheets of all actions and attacks, to look at:  python -m tests.simulator.preview OUT_DIR."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from tests.fixtures_cache import PICTURES, load_picture
from tests.simulator import Habits, Person, Subject
from tests.simulator.attacks import (
    PHONE,
    TABLET_CLOSE,
    CutOutEyes,
    FilmOnScreen,
    PrintedPhoto,
    PuppetOnScreen,
    RigidMask,
    StillOnScreen,
)
from tests.simulator.clips import play

if TYPE_CHECKING:
    from biometric.types import Image
    from tests.simulator.actor import Actor

MOMENTS = (
    ("centre", 1, 0.5),
    ("turn_left", 1, 1.6),
    ("turn_right", 1, 2.3),
    ("blink", 1, 1.08),
    ("smile", 1, 1.2),
    ("closer", 1, 2.0),
)
CALM = Habits(reaction_ms=(350.0, 350.0), blink_ms=(240.0, 240.0))
COLUMN_PX = 320


def row(name: str, actor: Actor) -> Image:
    """Return one picture per action, side by side. The blink is caught about half way through."""
    pictures, clock = [], 0.0
    for action, count, seconds in MOMENTS:
        actor.show(action, count, clock)
        clock += 1000 * seconds
        pictures.append(actor.frame(clock))
    sheet = cv2.hconcat(pictures)
    cv2.putText(sheet, f"{name} (simulated)", (16, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 6, cv2.LINE_AA)
    cv2.putText(sheet, f"{name} (simulated)", (16, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2, cv2.LINE_AA)
    width = COLUMN_PX * len(MOMENTS)
    return cv2.resize(sheet, (width, width * sheet.shape[0] // sheet.shape[1]), interpolation=cv2.INTER_AREA)


def attackers() -> dict[str, Actor]:
    """Return one attacker of each family, all with the face of person_b."""
    photo = load_picture("person_b_1")
    victim = Subject(photo)
    stranger = Subject(load_picture("impostor_2"))
    film = list(play(Person(victim, seed=3, habits=CALM), MOMENTS))
    return {
        "flat print": PrintedPhoto(photo, seed=1),
        "bent print": PrintedPhoto(photo, seed=2, bend_radius_m=0.1),
        "cut-out eyes": CutOutEyes(photo, stranger, seed=3),
        "still on a tablet": StillOnScreen(victim.render(Person(victim, seed=1).pose(0)), seed=4),
        "film on a phone": FilmOnScreen(film, seed=5, device=PHONE),
        "rigid mask": RigidMask(victim, stranger, seed=5, habits=CALM),
        "puppet on a tablet, near": PuppetOnScreen(Person(victim, seed=6, habits=CALM), seed=6, device=TABLET_CLOSE),
    }


def main(folder: Path) -> None:
    """Write people.png and attacks.png."""
    folder.mkdir(parents=True, exist_ok=True)
    people = [row(name, Person(Subject(load_picture(name)), seed=7, habits=CALM)) for name in PICTURES]
    cv2.imwrite(str(folder / "people.png"), cv2.vconcat(people))
    cv2.imwrite(str(folder / "attacks.png"), cv2.vconcat([row(name, actor) for name, actor in attackers().items()]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
