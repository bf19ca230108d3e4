from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from plugin.ceremonies.scratch import Scratch
from plugin.ceremonies.service import KEEP_ENDED
from plugin.ceremonies.stages import ENROL_TTL
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused
from plugin.store.tables import Ceremony, ResultCode
from tests.plugin.factors.world import REALM
from vault.interface import WrongContext, WrongMac


def why(world, *args) -> str:
    with pytest.raises(CeremonyRefused) as refused:
        world.ceremonies.load(*args, now=world.now)
    assert refused.value.code == "ceremony_refused"  # the outside sees no difference
    return refused.value.detail


def test_ceremony_is_what_the_request_asked_for(world):
    view = world.person().comes_to(Purpose.LOGIN)
    assert (view.issuer, view.subject, view.purpose, view.stage) == (
        REALM,
        "alice-id",
        Purpose.LOGIN,
        Stage.POSSESSION,
    )
    assert (view.amr, view.version, view.reference_id) == ((), 0, None)
    assert world.audited("ceremony_begun") == [{"purpose": "login", "stage": "possession"}]


def test_ids_and_tokens_have_256_bits_and_the_token_is_stored_hashed(world):
    person = world.person()
    person.comes_to(Purpose.LOGIN)
    assert len(person.ceremony_id) == len(person.cookie) == 43
    with world.database.reading() as session:
        assert person.cookie.encode() not in session.scalar(select(Ceremony.browser_hash))


def test_unknown_ceremony_is_refused(world):
    assert why(world, "x" * 43, "y" * 43) == "unknown"


def test_ceremony_of_another_browser_is_refused(world):
    person, thief = world.person(), world.person()
    person.comes_to(Purpose.LOGIN)
    thief.comes_to(Purpose.LOGIN)
    assert why(world, person.ceremony_id, thief.cookie) == "other_browser"


def test_ended_ceremony_is_refused(world):
    person = world.person()
    world.ceremonies.end(person.comes_to(Purpose.LOGIN), now=world.now)
    assert why(world, person.ceremony_id, person.cookie) == "used"
    assert world.audited("ceremony_ended") == [{"reason": "cancelled", "stage": "possession"}]


def test_expired_ceremony_is_refused(world):
    person = world.person()
    person.comes_to(Purpose.LOGIN)
    world.passes(seconds=world.settings.ceremony_ttl_s - 1)
    person.view()
    world.passes(seconds=1)
    assert why(world, person.ceremony_id, person.cookie) == "expired"


def test_enrolment_has_more_time(world):
    person = world.person()
    person.comes_to(Purpose.ENROL)
    world.passes(seconds=ENROL_TTL.total_seconds() - 1)
    person.view()
    world.passes(seconds=1)
    assert why(world, person.ceremony_id, person.cookie) == "expired"


def test_view_that_was_read_in_time_cannot_be_used_after_it(world):
    view = world.person().comes_to(Purpose.LOGIN)
    world.passes(seconds=world.settings.ceremony_ttl_s)
    with pytest.raises(CeremonyRefused, match="expired"):
        world.ceremonies.save_scratch(view, Scratch(), now=world.now)


def test_slower_of_two_requests_loses(world):
    person = world.person()
    first = second = person.comes_to(Purpose.LOGIN)
    world.ceremonies.save_scratch(first, Scratch().with_part("a", b"1"), now=world.now)
    with pytest.raises(CeremonyRefused, match="changed_meanwhile"):
        world.ceremonies.save_scratch(second, Scratch().with_part("a", b"2"), now=world.now)
    assert world.ceremonies.scratch(person.view()).get("a") == b"1"


def test_change_that_is_overtaken_between_reading_and_writing_loses(world, monkeypatch):
    person = world.person()
    view = person.comes_to(Purpose.LOGIN)
    seal = world.sealer.mac

    def overtaken(*args, **kwargs):
        monkeypatch.setattr(world.sealer, "mac", seal)
        world.run(update(Ceremony).values(version=7))
        return seal(*args, **kwargs)

    monkeypatch.setattr(world.sealer, "mac", overtaken)
    with pytest.raises(CeremonyRefused, match="changed_meanwhile"):
        world.ceremonies.save_scratch(view, Scratch(), now=world.now)


def test_erased_ceremony_cannot_be_moved(world):
    person = world.person()
    view = person.comes_to(Purpose.LOGIN)
    world.enrolment.erase(person.owner, now=world.now)
    with pytest.raises(CeremonyRefused, match="changed_meanwhile"):
        world.ceremonies.save_scratch(view, Scratch(), now=world.now)


def test_stage_cannot_be_skipped(world):
    view = world.person().comes_to(Purpose.LOGIN)
    with pytest.raises(CeremonyRefused):
        world.ceremonies.advance(view, to=Stage.DONE, proven="face", now=world.now)


def test_scratch_is_forgotten_with_its_stage(world):
    view = world.person().has_totp().view()
    assert world.ceremonies.scratch(view).parts == {}


def test_scratch_of_an_earlier_version_cannot_be_put_back(world):
    view = world.person().comes_to(Purpose.LOGIN)
    old = world.ceremonies.save_scratch(view, Scratch().with_part("a", b"1"), now=world.now)
    new = world.ceremonies.save_scratch(old, Scratch().with_part("a", b"2"), now=world.now)
    with pytest.raises(WrongContext):
        world.ceremonies.scratch(replace(new, sealed_scratch=old.sealed_scratch))


def test_scratch_of_another_ceremony_does_not_open(world):
    mine = world.person().comes_to(Purpose.LOGIN)
    other = world.ceremonies.save_scratch(
        world.person().comes_to(Purpose.LOGIN), Scratch().with_part("a", b"1"), now=world.now
    )
    with pytest.raises(WrongContext):
        world.ceremonies.scratch(replace(mine, version=1, sealed_scratch=other.sealed_scratch))


@pytest.mark.parametrize(
    "edit", [{"stage": "done"}, {"amr": ["otp", "face"]}, {"subject": "mallory"}, {"purpose": "enrol"}, {"acr": "x"}]
)
def test_edited_row_is_not_believed(world, edit):
    person = world.person()
    view = person.comes_to(Purpose.LOGIN)
    world.run(update(Ceremony).values(**edit))
    with pytest.raises(WrongMac):
        person.view()
    assert world.audited("integrity_failed") == [{"table": "ceremonies"}]
    after = world.ceremonies.save_scratch(view, Scratch(), now=world.now)
    assert after.columns == {**view.columns, "version": view.version + 1}, "what was believed is carried on"
    with pytest.raises(WrongMac):
        person.view()


def test_code_is_issued_at_the_end_only_and_once(world):
    person = world.person().has_totp()
    with pytest.raises(CeremonyRefused, match="no_code_at_face"):
        world.ceremonies.issue_code(person.view(), now=world.now)
    done = world.ceremonies.advance(person.view(), to=Stage.DONE, proven="face", now=world.now)
    assert len(world.ceremonies.issue_code(done, now=world.now)) == 43
    with pytest.raises(CeremonyRefused):
        world.ceremonies.issue_code(done, now=world.now)
    assert world.audited("result_issued") == [{"purpose": "enrol", "amr": ["otp", "face"], "acr": "facestep"}]


def test_purge_takes_what_expired_a_day_ago_and_nothing_else(world):
    person = world.person().has_totp()
    person.finishes(person.view())
    assert world.ceremonies.purge(now=world.now) == 0
    world.passes(seconds=KEEP_ENDED.total_seconds() + ENROL_TTL.total_seconds() + 1)
    fresh = world.person()
    fresh.comes_to(Purpose.LOGIN)
    assert world.ceremonies.purge(now=world.now) == 2
    assert fresh.view()
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ResultCode)) == 0
