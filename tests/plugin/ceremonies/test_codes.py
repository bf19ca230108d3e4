from __future__ import annotations

import pytest
from sqlalchemy import select, update

from plugin.ceremonies.types import Purpose
from plugin.errors import ClientRefused
from plugin.store.tables import ResultCode
from tests.plugin.factors.world import REALM


@pytest.fixture
def code(world) -> str:
    person = world.person().has_totp()
    return person.finishes(person.proves_totp())


def refused(world, code: str, **changes: str) -> str:
    """Expect a refusal and return the check, which the audit log names too."""
    with pytest.raises(ClientRefused) as caught:
        world.redeem(code, **changes)
    assert caught.value.code == "client_refused"
    assert world.audited("result_refused")[-1] == {"check": caught.value.detail}
    return caught.value.detail


def test_code_proves_what_was_done(world, code):
    result = world.redeem(code)
    assert (result.issuer, result.subject, result.purpose) == (REALM, "alice-id", Purpose.LOGIN)
    assert (result.amr, result.acr, result.nonce) == (("otp", "face"), "facestep", "nonce-of-this-login")
    assert result.auth_time == world.now
    assert result.reference_id is None
    assert world.audited("result_redeemed") == [{"purpose": "login", "amr": ["otp", "face"]}]


def test_code_is_stored_hashed(world, code):
    with world.database.reading() as session:
        assert code.encode() not in session.scalar(select(ResultCode.code_hash))


def test_unknown_code(world):
    assert refused(world, "x" * 43) == "code_unknown"


def test_expired_code(world, code):
    world.passes(seconds=world.settings.code_ttl_s)
    assert refused(world, code) == "code_expired"


def test_code_that_waited_almost_too_long(world, code):
    world.passes(seconds=world.settings.code_ttl_s - 1)
    assert world.redeem(code)


def test_code_of_another_client(world, code):
    assert refused(world, code, client="https://other.example/realms/x") == "code_of_other_client"
    entry = [entry for entry in world.audit.entries(limit=1000) if entry.event == "result_refused"][-1]
    assert (entry.issuer, entry.subject) == ("https://other.example/realms/x", "")


@pytest.mark.parametrize("uri", ["", "https://idp.example/realms/demo/", "https://evil.example/"])
def test_code_for_another_redirect(world, code, uri):
    assert refused(world, code, redirect_uri=uri) == "code_for_other_redirect"


@pytest.mark.parametrize("verifier", ["", "verifier-of-another-login"])
def test_code_of_another_login(world, code, verifier):
    assert refused(world, code, code_verifier=verifier) == "code_verifier_wrong"


def test_edited_row(world, code):
    world.run(update(ResultCode).values(subject="mallory"))
    assert refused(world, code) == "code_row_changed"


def test_whoever_brings_a_code_burns_it(world, code):
    refused(world, code, code_verifier="guess")
    assert refused(world, code) == "code_used"
