"""Something that was good once is brought again: a code, an assertion, frames, a result, an old row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, ClientRefused, FactorRejected, ServiceError
from plugin.factors.face_answers import FaceRefused
from plugin.store.tables import Ceremony, ResultCode
from tests.plugin.factors.scripted import shows
from vault.interface import WrongMac

OTHER = "https://idp.example/realms/other"


def outcome(call) -> str:
    """Run in a thread: what came of it."""
    try:
        call()
    except ServiceError as refused:
        return refused.code
    return "accepted"


def at_once(*calls) -> list[str]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return sorted(threads.map(outcome, calls))


def test_totp_code_is_good_once(world):
    person = world.person().has_totp()
    code = person.code()
    assert world.totp.verify(person.comes_to(Purpose.LOGIN), code, now=world.now).stage is Stage.FACE
    with pytest.raises(FactorRejected):
        world.totp.verify(person.comes_to(Purpose.LOGIN), code, now=world.now)
    assert world.audited("factor_refused")[-1] == {"factor": "totp", "check": "totp_reused"}


def test_totp_code_seen_over_the_shoulder_does_not_open_an_earlier_step(world):
    person = world.person().has_totp()
    earlier = person.code(steps_later=-1)
    world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now)
    with pytest.raises(FactorRejected):
        world.totp.verify(person.comes_to(Purpose.LOGIN), earlier, now=world.now)


def test_of_four_logins_with_the_same_totp_code_at_once_one_is_accepted(world):
    person = world.person().has_totp()
    views = [person.comes_to(Purpose.LOGIN) for _ in range(4)]
    code = person.code()
    results = at_once(*(lambda v=view: world.totp.verify(v, code, now=world.now) for view in views))
    assert results == ["accepted"] + ["factor_rejected"] * 3


def test_of_four_uses_of_one_recovery_code_at_once_one_is_accepted(world):
    person = world.person().has_totp()
    views = [person.comes_to(Purpose.LOGIN) for _ in range(4)]
    calls = (lambda v=view: world.recovery_codes.verify(v, person.codes[0], now=world.now) for view in views)
    assert at_once(*calls) == ["accepted"] + ["factor_rejected"] * 3


def test_passkey_answer_is_good_once_even_in_the_same_ceremony(world):
    person = world.person().has_key()
    options = world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now)
    answer = person.key.get(options.json)
    calls = [lambda: world.webauthn.authenticate(options.view, answer, now=world.now)] * 3
    assert at_once(*calls).count("accepted") == 1


def test_frames_of_an_earlier_ceremony_are_nothing_in_a_new_one(world):
    person = world.person().has_face()
    view = person.proves_totp()
    person.shows("alice", view)
    world.passes(seconds=60)
    new = person.proves_totp()
    with pytest.raises(FaceRefused, match="no_challenge"):
        world.face.push(new, shows("go", "done:alice"), now=world.now)


def test_upload_of_an_earlier_ceremony_is_recognised_in_a_new_challenge(world):
    person = world.person().has_face()
    recorded = shows("go", "done:alice")
    view = person.proves_totp()
    world.face.start(view, now=world.now)
    world.face.push(person.view(), recorded, now=world.now)
    world.passes(seconds=60)
    new = person.proves_totp()
    world.face.start(new, now=world.now)
    with pytest.raises(FaceRefused, match="frames_seen_before"):
        world.face.push(person.view(), recorded, now=world.now)


def test_uploads_of_one_challenge_may_overlap(world):
    person = world.person().has_face()
    world.face.start(person.proves_totp(), now=world.now)
    first = shows("go", "go")
    world.face.push(person.view(), first, now=world.now)
    done = world.face.push(person.view(), [first[-1], *shows("done:alice", start=2)], now=world.now)
    assert done.state == "finished"


def test_last_batch_of_a_challenge_sent_twice_at_once_counts_once(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    calls = [lambda: world.face.push(challenge.view, shows("done:alice"), now=world.now)] * 3
    assert at_once(*calls).count("accepted") == 1


def test_state_of_an_earlier_challenge_put_back_into_the_database_does_not_open(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    with pytest.raises(FaceRefused):
        world.face.push(challenge.view, shows("fail"), now=world.now)
    world.run(update(Ceremony).values(sealed_scratch=challenge.view.sealed_scratch))
    with pytest.raises(WrongMac):
        person.view()


def test_result_code_is_good_once(world):
    person = world.person().has_totp()
    code = person.finishes(person.proves_totp())
    assert world.redeem(code)
    with pytest.raises(ClientRefused):
        world.redeem(code)
    assert world.audited("result_refused") == [{"check": "code_used"}]


def test_of_four_redemptions_at_once_one_is_accepted(world):
    person = world.person().has_totp()
    code = person.finishes(person.proves_totp())
    assert at_once(*[lambda: world.redeem(code)] * 4) == ["accepted"] + ["client_refused"] * 3


@pytest.mark.parametrize(
    ("brought", "check"),
    [
        ({"code_verifier": "verifier-of-another-login"}, "code_verifier_wrong"),
        ({"client": OTHER}, "code_of_other_client"),
        ({"redirect_uri": OTHER + "/login-actions/authenticate"}, "code_for_other_redirect"),
    ],
    ids=["other login", "other client", "other redirect"],
)
def test_result_code_brought_elsewhere_is_refused_audited_and_burnt(world, brought, check):
    person = world.person().has_totp()
    code = person.finishes(person.proves_totp())
    with pytest.raises(ClientRefused):
        world.redeem(code, **brought)
    with pytest.raises(ClientRefused):
        world.redeem(code)
    assert world.audited("result_refused") == [{"check": check}, {"check": "code_used"}]


def test_finished_ceremony_issues_one_code_only(world):
    person = world.person().has_totp()
    done = world.ceremonies.advance(person.proves_totp(), to=Stage.DONE, proven="face", now=world.now)
    assert at_once(*[lambda: world.ceremonies.issue_code(done, now=world.now)] * 3).count("accepted") == 1
    with world.database.reading() as session:
        assert len(session.scalars(select(ResultCode)).all()) == 1
    with pytest.raises(CeremonyRefused):
        person.view()
