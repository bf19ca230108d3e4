"""Somebody can write to the database but not to the vault: rows inserted, edited, or moved between people."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import insert, select, update

from plugin.ceremonies.types import Purpose
from plugin.errors import ClientRefused, FactorRejected
from plugin.store.instants import to_ms
from plugin.store.tables import Invitation, RecoveryCode, Reference, ResultCode, TotpSecret, WebauthnCredential
from tests.plugin.factors.world import REALM, REDIRECT, VERIFIER, s256
from vault.interface import WrongMac


def test_inserted_result_code_logs_nobody_in(world):
    world.run(
        insert(ResultCode).values(
            code_hash=hashlib.sha256(b"mine").digest(),
            issuer=REALM,
            subject="alice-id",
            ceremony_id="c",
            purpose="login",
            redirect_uri=REDIRECT,
            nonce="n",
            code_challenge=s256(VERIFIER),
            acr="facestep",
            amr=["otp", "face"],
            auth_time_ms=to_ms(world.now),
            expires_ms=to_ms(world.now) + 60_000,
            mac=bytes(32),
        )
    )
    with pytest.raises(ClientRefused, match="code_row_changed"):
        world.redeem("mine")


def test_totp_secret_of_the_thief_under_the_name_of_the_victim_is_not_believed(world):
    alice, mallory = world.person().has_totp(), world.person("mallory").has_totp()
    with world.database.reading() as session:
        mine = session.scalar(select(TotpSecret).where(TotpSecret.subject == "mallory"))
    copied = {"sealed_secret": mine.sealed_secret, "last_step": mine.last_step, "mac": mine.mac}
    world.run(update(TotpSecret).where(TotpSecret.subject == "alice-id").values(**copied))
    with pytest.raises(WrongMac):
        world.totp.verify(alice.comes_to(Purpose.LOGIN), mallory.code(), now=world.now)


def test_last_step_turned_back_is_noticed(world):
    person = world.person().has_totp()
    world.totp.verify(person.comes_to(Purpose.LOGIN), code := person.code(), now=world.now)
    world.run(update(TotpSecret).values(last_step=0))
    with pytest.raises(WrongMac):
        world.totp.verify(person.comes_to(Purpose.LOGIN), code, now=world.now)


def test_used_recovery_code_marked_as_unused_is_noticed(world):
    person = world.person().has_totp()
    world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[0], now=world.now)
    world.run(update(RecoveryCode).values(used_ms=None))
    with pytest.raises(WrongMac):
        world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[0], now=world.now)


def test_invitation_made_longer_is_noticed(world):
    person = world.person()
    issued = world.invitations.issue(person.owner, now=world.now)
    world.run(update(Invitation).values(expires_ms=2**53))
    world.passes(seconds=world.settings.invitation_ttl_s)
    with pytest.raises(WrongMac):
        world.invitations.redeem(person.comes_to(Purpose.ENROL), issued.code, now=world.now)


def test_passkey_of_the_thief_under_the_name_of_the_victim_is_not_believed(world):
    alice, mallory = world.person().has_key(), world.person("mallory").has_key()
    alice.key, alice.key.user_handle = mallory.key, None
    world.run(update(WebauthnCredential).where(WebauthnCredential.subject == "mallory").values(subject="alice-id"))
    options = world.webauthn.authentication_options(alice.comes_to(Purpose.LOGIN), now=world.now)
    with pytest.raises(WrongMac):
        world.webauthn.authenticate(options.view, alice.key.get(options.json), now=world.now)


def test_face_of_the_thief_under_the_name_of_the_victim_is_not_believed(world):
    alice = world.person().has_face()
    world.person("mallory").has_face("mallory")
    with world.database.reading() as session:
        mine = session.scalar(select(Reference).where(Reference.subject == "mallory"))
    copied = {"sealed_embeddings": mine.sealed_embeddings, "mac": mine.mac}
    world.run(update(Reference).where(Reference.subject == "alice-id").values(**copied))
    with pytest.raises(WrongMac):
        alice.shows("mallory", alice.proves_totp())


def test_every_noticed_edit_is_in_the_log(world):
    person = world.person().has_totp()
    world.run(update(TotpSecret).values(last_step=0))
    with pytest.raises(WrongMac):
        world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now)
    assert world.audited("integrity_failed") == [{"table": "totp_secrets"}]


def test_deleted_secret_does_not_open_the_door(world):
    person = world.person().has_totp()
    world.run(TotpSecret.__table__.delete())
    with pytest.raises(FactorRejected):
        world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now)
