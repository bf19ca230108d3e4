"""The shipped net on simulated people: its threshold must leave them in, or the cue could not be used in tests."""

import numpy as np
import pytest

from biometric.texture import TextureNet
from tests.fixtures_cache import PICTURES
from tests.simulator.texture_looks import actors, scores

LEAST_LOOKS_SEEN = 8


@pytest.fixture(scope="module")
def net():
    return TextureNet.open()


@pytest.mark.models
@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_simulated_person_is_not_refused(net, pipeline, name):
    seen = list(scores(actors(name, seed=1)["genuine"](), net, pipeline))
    assert len(seen) >= LEAST_LOOKS_SEEN
    assert np.median(seen) < net.spec.deny_at


@pytest.mark.models
def test_simulated_attacks_look_less_alive_than_the_same_person(net, pipeline):
    def median(species, name):
        return float(np.median(list(scores(actors(name, seed=1)[species](), net, pipeline))))

    for name in ("person_a_1", "person_b_1"):
        assert median("print", name) > median("genuine", name)
