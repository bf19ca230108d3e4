from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from plugin.ceremonies.types import Purpose
from plugin.factors import lifecycle
from plugin.factors.held import SHOWN, held_about
from plugin.settings import Settings
from plugin.store.instants import to_ms
from plugin.store.tables import Base, Reference
from tests.plugin.factors.scripted import face_of
from vault.memory import wipe

DAY_S = 86_400


def stored(world) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Reference))


def test_a_person_is_reminded_in_the_last_days_only(world):
    person = world.person().has_face()
    ends = world.now + timedelta(days=world.settings.reference_ttl_days)
    view = person.comes_to(Purpose.LOGIN)
    for days, told in ((31, False), (29, True), (0.01, True)):
        assert (world.lifecycle.renew_by(view, now=ends - timedelta(days=days)) is not None) is told


def test_the_reminder_is_in_the_log_and_names_the_day(world):
    person = world.person().has_face()
    view = person.comes_to(Purpose.LOGIN)
    assert not world.lifecycle.remind(view, now=world.now)
    later = world.now + timedelta(days=340)
    assert world.lifecycle.remind(view, now=later)
    (entry,) = world.audited("reference_expiring")
    assert entry["expires_ms"] == to_ms(world.lifecycle.renew_by(view, now=later))


def test_who_is_just_enrolling_is_not_reminded(world):
    person = world.person().has_face()
    view = person.comes_to(Purpose.ENROL)
    assert world.lifecycle.renew_by(view, now=world.now + timedelta(days=364)) is None


def test_references_go_after_their_days_of_grace_with_an_entry_each(world, monkeypatch):
    monkeypatch.setattr(lifecycle, "BATCH", 2)
    for name in ("a", "b", "c"):
        world.person(name).has_face(name)
    world.passes(seconds=200 * DAY_S)
    world.person("young").has_face("young")
    world.passes(seconds=194 * DAY_S)
    assert (world.lifecycle.count_due(now=world.now), world.lifecycle.expire(now=world.now)) == (0, 0)
    world.passes(seconds=2 * DAY_S)
    seen = []
    assert world.lifecycle.count_due(now=world.now) == 3
    assert world.lifecycle.expire(now=world.now, report=seen.append) == 3
    assert (seen, stored(world)) == ([2, 3], 1)
    entries = world.audited("reference_expired")
    assert {entry["reason"] for entry in entries} == {"retention"}
    assert len({entry["reference_id"] for entry in entries}) == 3
    assert world.lifecycle.expire(now=world.now) == 0


def test_an_interrupted_run_goes_on_where_it_stopped(world, monkeypatch):
    monkeypatch.setattr(lifecycle, "BATCH", 1)
    for name in ("a", "b"):
        world.person(name).has_face(name)
    world.passes(seconds=400 * DAY_S)

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.lifecycle.expire(now=world.now, report=interrupted)
    assert (stored(world), len(world.audited("reference_expired"))) == (1, 1)
    assert world.lifecycle.expire(now=world.now) == 1


def test_the_soonest_end_is_listed_first(world):
    world.person("b").has_face("b")
    world.passes(seconds=DAY_S)
    world.person("a").has_face("a")
    listed = world.lifecycle.ending(before=world.now + timedelta(days=400), limit=10)
    assert [found.subject for found in listed] == ["b", "a"]
    within = world.lifecycle.ending(before=listed[0].expires_at, limit=10)
    assert [found.subject for found in within] == ["b"]


def test_a_person_is_told_everything_but_numbers_secrets_and_hashes(world):
    person = world.person().has_face()
    told = held_about(person.owner, database=world.database, audit=world.audit, now=world.now)
    assert [len(told["held"][name]) for name in ("references", "consents", "authenticator_apps")] == [1, 1, 1]
    assert len(told["held"]["recovery_codes"]) == 10
    assert {"enrolled", "consent_given"} <= {event["event"] for event in told["held"]["events"]}
    text = json.dumps(told)
    with world.database.reading() as session:
        sealed = session.scalar(select(Reference.sealed_embeddings))
    for secret in (sealed, sealed[20:60], person.totp_secret, person.codes[0], "$argon2", "keyring:v1"):
        assert secret not in text
    assert len(world.audited("subject_exported")) == 1


def test_another_persons_rows_are_not_told(world):
    world.person().has_face()
    world.person("bob-id").has_face("bob")
    told = held_about(world.person("bob-id").owner, database=world.database, audit=world.audit, now=world.now)
    assert "alice" not in json.dumps(told)


def test_every_table_about_a_person_is_told_of_or_left_out_on_purpose():
    about = {mapper.class_ for mapper in Base.registry.mappers if "subject" in mapper.columns}
    told = {table for table, _ in SHOWN.values()}
    assert {table.__tablename__ for table in about - told} == {
        "audit_entries",  # told as events
        "ceremonies",  # a login under way: gone a day after its end
        "result_codes",  # the same
        "helpdesk_cases",  # told as events: who asked for what, and what came of it
        "helpdesk_passes",  # the same
        "helpdesk_links",  # told as events, as the cases they are for
        "helpdesk_sessions",  # an agent's, gone after an hour
        "helpdesk_letters",  # to this very person, gone when sent
        "me_sessions",  # browsers at their own page, gone after half an hour
        "stop_links",  # a hash and a time, gone after a week
    }
    for table, columns in SHOWN.values():
        assert not {name for name in columns if name.startswith("sealed") or name.endswith("hash") or name == "mac"}
        assert set(columns) <= set(table.__table__.columns.keys())


def test_time_and_grace_together_are_at_most_three_years(tmp_path):
    values = {"issuer": "http://localhost:8100", "database_url": "sqlite:///x.db", "environment": "development"}
    values |= {"vault_backend": "keyring", "keyring_file": str(tmp_path / "keys")}
    environ = {f"FACESTEP_{name.upper()}": value for name, value in values.items()}
    Settings.load(environ | {"FACESTEP_REFERENCE_TTL_DAYS": "1065"})
    with pytest.raises(Exception, match="1095, three years"):
        Settings.load(environ | {"FACESTEP_REFERENCE_TTL_DAYS": "1066"})


def test_vectors_are_overwritten_when_the_verdict_is_reached(world, monkeypatch):
    """Keep hold of every array that a login and a renewal open; afterwards all are zeros."""
    person = world.person().has_face()
    kept = []
    real = world.face._verdict._references.open

    def opening(row, **rest):
        enrolled = real(row, **rest)
        kept.extend([enrolled.embeddings.facenet.vector, enrolled.embeddings.sface.vector])
        assert all(vector.any() for vector in kept[-2:])
        return enrolled

    monkeypatch.setattr(world.face._verdict._references, "open", opening)
    person.shows("alice", person.proves_totp())
    assert len(kept) == 2
    assert not any(vector.any() for vector in kept)


def test_what_cannot_be_overwritten_is_left_alone():
    mine, view = face_of("alice").sface.vector, np.frombuffer(b"secret!!", dtype=np.uint8)
    buffer = bytearray(b"secret")
    mine.flags.writeable = False
    wipe(mine, view, buffer)
    assert not mine.any()
    assert view.any()
    assert buffer == bytes(6)
