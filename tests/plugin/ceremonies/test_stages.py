from __future__ import annotations

from itertools import product

import pytest

from plugin.ceremonies.stages import NEXT, check_move, first_stage, reached_acr, stage_after
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused

ALL = ("otp", "face")


@pytest.mark.parametrize(("purpose", "at", "to"), list(product(Purpose, Stage, Stage)))
def test_every_move_that_is_not_in_the_table_is_refused(purpose, at, to):
    if NEXT.get((purpose, at)) is to:
        check_move(purpose, at=at, to=to, amr=ALL)
        return
    with pytest.raises(CeremonyRefused):
        check_move(purpose, at=at, to=to, amr=ALL)


def test_login_is_possession_then_face():
    assert stage_after(Purpose.LOGIN, Stage.POSSESSION) is Stage.FACE
    assert stage_after(Purpose.LOGIN, Stage.FACE) is Stage.DONE


def test_nothing_follows_the_end():
    with pytest.raises(CeremonyRefused):
        stage_after(Purpose.LOGIN, Stage.DONE)


@pytest.mark.parametrize("amr", [(), ("face",)])
def test_no_camera_and_no_end_without_possession(amr):
    for at, to in ((Stage.POSSESSION, Stage.FACE), (Stage.FACE, Stage.DONE)):
        with pytest.raises(CeremonyRefused, match="possession_first"):
            check_move(Purpose.LOGIN, at=at, to=to, amr=amr)


def test_no_end_without_the_face():
    with pytest.raises(CeremonyRefused, match="no_face_before_done"):
        check_move(Purpose.LOGIN, at=Stage.FACE, to=Stage.DONE, amr=("hwk",))


@pytest.mark.parametrize(
    ("purpose", "has_possession", "stage"),
    [
        (Purpose.LOGIN, True, Stage.POSSESSION),
        (Purpose.LOGIN, False, Stage.POSSESSION),
        (Purpose.ENROL, True, Stage.POSSESSION),
        (Purpose.ENROL, False, Stage.INVITATION),
    ],
)
def test_where_a_ceremony_starts(purpose, has_possession, stage):
    assert first_stage(purpose, has_possession=has_possession) is stage


@pytest.mark.parametrize(
    ("amr", "acr"),
    [(("otp", "face"), "facestep"), (("hwk", "face"), "facestep"), (("face",), ""), (("otp",), ""), ((), "")],
)
def test_level_is_what_was_reached(amr, acr):
    assert reached_acr(amr, level="facestep") == acr
