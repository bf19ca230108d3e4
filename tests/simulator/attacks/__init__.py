"""Attacks before (or instead of) the camera, each an actor of tests.simulator. Everything here is simulated."""

from tests.simulator.attacks.foresight import Foreseen, Where
from tests.simulator.attacks.injection import CutClips, Injected, Relay, Stuttering, duplicated, reordered
from tests.simulator.attacks.masks import RigidMask
from tests.simulator.attacks.prints import CutOutEyes, PrintedPhoto
from tests.simulator.attacks.relight import Relit, Shape, Tint
from tests.simulator.attacks.screens import (
    PHONE,
    TABLET,
    TABLET_CLOSE,
    Closer,
    Device,
    FilmOnScreen,
    PuppetOnScreen,
    StillOnScreen,
)
from tests.simulator.attacks.splice import SortedLight, Spliced, When

__all__ = [
    "PHONE",
    "TABLET",
    "TABLET_CLOSE",
    "Closer",
    "CutClips",
    "CutOutEyes",
    "Device",
    "FilmOnScreen",
    "Foreseen",
    "Injected",
    "PrintedPhoto",
    "PuppetOnScreen",
    "Relay",
    "Relit",
    "RigidMask",
    "Shape",
    "SortedLight",
    "Spliced",
    "StillOnScreen",
    "Stuttering",
    "Tint",
    "When",
    "Where",
    "duplicated",
    "reordered",
]
