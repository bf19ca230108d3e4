import pytest

from plugin.ceremonies.levels import DEMANDED, answered, demands_light, level_of
from plugin.settings import LEVELS


def test_settings_and_ceremonies_know_the_same_levels():
    assert tuple(DEMANDED) == LEVELS


@pytest.mark.parametrize(
    ("asked", "least", "held", "answer"),
    [
        ("facestep", "facestep", "facestep", "facestep"),
        ("facestep-light", "facestep", "facestep-light", "facestep-light"),
        ("facestep", "facestep-light", "facestep-light", "facestep"),
        ("", "facestep-light", "facestep-light", "facestep-light"),
        ("gold", "facestep", "facestep", "facestep"),
    ],
)
def test_nobody_is_held_below_the_least_level_and_no_unknown_level_is_answered(asked, least, held, answer):
    assert level_of(asked, least=least) == held
    assert answered(asked, least=least) == answer


def test_only_the_level_with_light_demands_it():
    assert [demands_light(level) for level in LEVELS] == [False, True]
