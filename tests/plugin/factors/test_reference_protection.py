"""The options for new references, through enrolment and login."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from plugin.ceremonies.types import Stage
from plugin.errors import SettingsError
from plugin.factors.face_answers import FaceRefused
from plugin.factors.references import References
from plugin.store.tables import Reference
from tests.plugin.factors.scripted import calibration, face_of
from vault import biohash, transform


def enrolled_with(world, **changes):
    world.settings = replace(world.settings, **changes)
    world.use_models("test")
    return world.person().has_face()


def likeness(world, person) -> float:
    store = References.of(world.settings, database=world.database, sealer=world.sealer, calibration=calibration())
    opened = store.open(store.find(person.owner).row, now=world.now).embeddings
    return float(opened.facenet.vector @ face_of("alice").facenet.vector)


def version(world) -> int:
    with world.database.reading() as session:
        return session.scalar(select(Reference.transform_version))


def test_a_hash_lets_its_owner_in_and_nobody_else(world):
    person = enrolled_with(world, reference_protection="biohash")
    assert version(world) == biohash.VERSION
    assert likeness(world, person) == pytest.approx(0.88, abs=0.03)
    assert person.shows("alice", person.proves_totp()).stage is Stage.DONE
    world.passes(seconds=60)
    with pytest.raises(FaceRefused):
        person.shows("mallory", person.proves_totp())


def test_noise_blurs_what_is_kept_and_lets_its_owner_in(world):
    person = enrolled_with(world, reference_noise=0.02)
    assert version(world) == transform.VERSION
    assert likeness(world, person) == pytest.approx(1 / np.sqrt(1 + 512 * 0.02**2), abs=0.06)  # six deviations
    assert person.shows("alice", person.proves_totp()).stage is Stage.DONE


def test_who_was_enrolled_before_the_option_changed_still_gets_in(world):
    person = world.person().has_face()
    world.settings = replace(world.settings, reference_protection="biohash", reference_noise=0.05)
    world.use_models("test")
    assert version(world) == transform.VERSION
    assert person.shows("alice", person.proves_totp()).stage is Stage.DONE


@pytest.mark.parametrize(
    "changes",
    [
        {"reference_protection": "none"},
        {"reference_noise": -0.1},
        {"reference_noise": 0.2},
        {"reference_noise": np.nan},
    ],
)
def test_what_makes_no_sense_stops_the_start(world, changes):
    with pytest.raises(SettingsError, match=next(iter(changes))):
        replace(world.settings, **changes).checked()
