from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, select, update

from biometric.errors import FramesInvalid
from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected, LockedOut
from plugin.factors import face_verdict
from plugin.factors.camera_report import CameraReport
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.factors.face_answers import FaceRefused
from plugin.factors.references import References
from plugin.store.tables import Attempts, Consent, Reference
from tests.plugin.factors.scripted import ScriptedSession, calibration, face_of, shows
from vault.interface import WrongMac


def refused(world, person, face: str, view) -> FaceRefused:
    with pytest.raises(FaceRefused) as caught:
        person.shows(face, view)
    return caught.value


def last_refusal(world) -> dict:
    return world.audited("face_refused")[-1]


def other_version(_data):
    raise FramesInvalid("state")


def references(world) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Reference))


def test_challenge_reveals_its_opening_and_no_step(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    assert (challenge.step.index, challenge.step.action, challenge.step.count) == (-1, "centre", 1)
    assert (challenge.steps_total, challenge.deadline_ms) == (5, 30_000)
    drawn = world.audited("face_challenge_drawn")[-1]
    assert drawn["attempt"] == 1
    assert drawn["steps"][3:] == ["closer", "flash"]


def test_every_batch_has_a_chance_of_its_own_which_nobody_outside_can_foresee(world, monkeypatch):
    drawn = []
    push = ScriptedSession.push

    def noting(session, frames, *, chance, **limits):
        drawn.append(chance.random())
        return push(session, frames, chance=chance, **limits)

    monkeypatch.setattr(ScriptedSession, "push", noting)
    person = world.person().has_face()
    for _ in range(2):  # two challenges of the same words
        view = world.face.start(person.proves_totp(), now=world.now).view
        view = world.face.push(view, shows("go"), now=world.now).view
        world.face.push(view, shows("go", start=1), now=world.now)
        world.passes(seconds=60)
    assert len(drawn) == len(set(drawn)) >= 4


def test_steps_are_revealed_one_at_a_time(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    first = world.face.push(challenge.view, shows("next"), now=world.now)
    again = world.face.push(first.view, shows("go", start=1), now=world.now)
    second = world.face.push(again.view, shows("next", start=2), now=world.now)
    assert [first.state, again.state, second.state] == ["next_step", "go_on", "next_step"]
    assert [first.step.index, again.step.index, second.step.index] == [0, 0, 1]
    assert again.hint == "look_straight"
    actions = {first.step.action, second.step.action}
    assert len(actions) == 2
    assert actions <= {"turn_left", "turn_right", "blink", "smile"}


def test_login_with_the_enrolled_face_reaches_the_end(world):
    person = world.person().has_face()
    view = person.shows("alice", person.proves_totp())
    assert (view.stage, view.amr) == (Stage.DONE, ("otp", "face"))
    result = world.redeem(world.ceremonies.issue_code(view, now=world.now))
    assert (result.purpose, result.acr, result.amr) == (Purpose.LOGIN, "facestep", ("otp", "face"))
    entry = world.audited("factor_accepted")[-1]
    assert entry["confirmed_by"] == ["planarity", "challenge"]
    assert entry["similarity_facenet"] == pytest.approx(1.0, abs=1e-2)
    assert entry["calibration"] == "0123456789abcdef"


def test_enrolment_stores_a_reference_and_names_it(world):
    person = world.person()
    view = person.shows("alice", person.enrols_up_to(Stage.FACE))
    result = world.redeem(world.ceremonies.issue_code(view, now=world.now))
    with world.database.reading() as session:
        row = session.scalar(select(Reference))
    assert result.reference_id == row.id == view.reference_id
    assert (result.purpose, result.amr) == (Purpose.ENROL, ("otp", "face"))
    entry = world.audited("enrolled")[-1]
    assert entry["reference_id"] == row.id
    assert entry["consent_id"] == row.consent_id
    assert "similarity_facenet" not in entry


def test_stored_reference_is_the_face_that_was_seen(world):
    person = world.person().has_face()
    store = References(
        database=world.database,
        sealer=world.sealer,
        calibration=calibration(),
        ttl_days=world.settings.reference_ttl_days,
    )
    opened = store.open(store.find(person.owner).row, now=world.now).embeddings
    assert np.dot(opened.facenet.vector, face_of("alice").facenet.vector) > 0.999
    assert np.dot(opened.sface.vector, face_of("alice").sface.vector) > 0.999


def test_another_face_is_refused_with_its_scores_in_the_log_only(world):
    person = world.person().has_face()
    refusal = refused(world, person, "mallory", person.proves_totp())
    assert (refusal.code, refusal.may_retry) == ("face_rejected", True)
    entry = last_refusal(world)
    assert entry["denied_by"] == ["identity:another_person"]
    assert entry["similarity_facenet"] < 0.4


def test_face_that_a_cue_denies_is_refused(world):
    person = world.person().has_face()
    refused(world, person, "alice:planarity/flat", person.proves_totp())
    assert last_refusal(world)["denied_by"] == ["planarity:flat"]


def test_enrolment_of_what_is_not_alive_stores_nothing(world):
    person = world.person()
    refused(world, person, "alice:planarity/flat", person.enrols_up_to(Stage.FACE))
    assert references(world) == 0


def test_person_without_reference_is_refused_like_a_stranger(world):
    person = world.person().has_totp()
    nobody = refused(world, person, "alice", person.proves_totp())
    enrolled = world.person("bob-id").has_face("bob")
    stranger = refused(world, enrolled, "alice", enrolled.proves_totp())
    assert (nobody.code, nobody.may_retry) == (stranger.code, stranger.may_retry)
    assert world.audited("face_refused")[0]["denied_by"] == ["not_enrolled"]


@pytest.mark.parametrize(
    ("word", "code", "reason"),
    [
        ("broken", "frames_invalid", "overlap"),
        ("unnamed", "frames_invalid", "frames_invalid"),
        ("sentence", "image_unreadable", "a_frame_is_no_JPEG"),
        ("fail", "face_rejected", "deadline"),
        ("x" * 400_001, "frames_invalid", "overlap"),
    ],
    ids=["broken", "unnamed", "no picture", "failed", "too-large"],
)
def test_whatever_goes_wrong_consumes_the_challenge(world, word, code, reason):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    with pytest.raises(FaceRefused) as caught:
        world.face.push(challenge.view, shows(word), now=world.now)
    assert (caught.value.code, caught.value.may_retry) == (code, True)
    assert last_refusal(world)["denied_by"] == [reason]
    with pytest.raises(FaceRefused, match="no_challenge"):
        world.face.push(person.view(), shows("done:alice"), now=world.now)


def test_no_more_frames_are_taken_than_the_settings_say(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    words = ["go"] * world.settings.max_frames
    with pytest.raises(FaceRefused, match="frames_invalid"):
        world.face.push(challenge.view, shows(*words, "done:alice"), now=world.now)


def test_a_challenge_that_another_version_began_is_consumed(world, monkeypatch):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    with monkeypatch.context() as patch:
        patch.setattr(ScriptedSession, "from_bytes", other_version)
        with pytest.raises(FaceRefused) as caught:
            world.face.push(challenge.view, shows("go"), now=world.now)
    assert (caught.value.code, caught.value.may_retry) == ("frames_invalid", True)
    assert last_refusal(world)["denied_by"] == ["state_unreadable"]
    with pytest.raises(FaceRefused, match="no_challenge"):
        world.face.push(person.view(), shows("done:alice"), now=world.now)


def test_challenge_ends_at_its_deadline(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    world.passes(seconds=30.1)
    with pytest.raises(FaceRefused):
        world.face.push(challenge.view, shows("done:alice"), now=world.now)


def test_frames_without_a_challenge_are_refused(world):
    person = world.person().has_face()
    with pytest.raises(FaceRefused) as caught:
        world.face.push(person.proves_totp(), shows("done:alice"), now=world.now)
    assert caught.value.code == "frames_invalid"


def test_person_may_try_three_times_then_the_ceremony_is_over(world):
    person = world.person().has_face()
    view = person.proves_totp()
    assert refused(world, person, "mallory", view).may_retry
    assert refused(world, person, "mallory", person.view()).may_retry
    assert not refused(world, person, "mallory", person.view()).may_retry
    with pytest.raises(CeremonyRefused):
        person.view()
    assert world.audited("ceremony_ended")[-1]["reason"] == "face_refused"


def test_second_try_may_succeed(world):
    person = world.person().has_face()
    refused(world, person, "mallory", person.proves_totp())
    assert person.shows("alice", person.view()).stage is Stage.DONE


def test_camera_is_not_used_without_consent_in_this_enrolment(world):
    person = world.person()
    view = person.enrols_up_to(Stage.FACE)
    world.run(update(Consent).values(withdrawn_ms=1))
    with pytest.raises(FactorRejected, match="consent_missing"):
        world.face.start(view, now=world.now)


def test_consent_withdrawn_during_the_challenge_counts(world):
    person = world.person()
    challenge = world.face.start(person.enrols_up_to(Stage.FACE), now=world.now)
    world.run(update(Consent).values(withdrawn_ms=1))
    with pytest.raises(FactorRejected, match="consent_missing"):
        world.face.push(challenge.view, shows("done:alice"), now=world.now)
    assert references(world) == 0


def test_success_ends_the_run_of_failures(world):
    person = world.person().has_face()
    refused(world, person, "mallory", person.proves_totp())
    person.shows("alice", person.view())
    with world.database.reading() as session:
        row = session.get(Attempts, (person.owner.issuer, person.owner.subject, "face"))
    assert (row.consecutive, row.total) == (0, 1)


def test_new_enrolment_switches_a_face_on_that_was_off(world):
    person = world.person().has_face()
    world.attempts.take(person.owner, Counted.FACE, now=world.now)
    world.run(update(Attempts).where(Attempts.factor == "face").values(total=100))
    with pytest.raises(LockedOut, match="factor_off"):
        person.shows("alice", person.proves_totp())
    world.passes(seconds=60)
    again_enrolled(world, person, "alice")
    world.passes(seconds=60)
    assert person.shows("alice", person.proves_totp()).stage is Stage.DONE


def again_enrolled(world, person, face: str):
    view = world.totp.verify(person.comes_to(Purpose.ENROL), person.code(), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    view = world.enrolment.keep_possession(view, now=world.now)
    shown = world.recovery_codes.show(view, now=world.now)
    return person.shows(face, world.recovery_codes.acknowledge(shown.view, now=world.now))


def test_same_person_may_enrol_again_and_the_old_reference_is_gone(world):
    person = world.person().has_face()
    world.passes(seconds=60)
    view = again_enrolled(world, person, "alice")
    assert view.stage is Stage.DONE
    assert references(world) == 1
    assert world.audited("enrolled")[-1]["similarity_facenet"] > 0.9


def test_expired_reference_logs_nobody_in_and_may_be_renewed(world):
    person = world.person().has_face()
    world.passes(seconds=world.settings.reference_ttl_days * 86_400)
    refused(world, person, "alice", person.proves_totp())
    assert world.audited("face_refused")[0]["check"] == "reference_expired"
    world.passes(seconds=60)
    assert again_enrolled(world, person, "alice").stage is Stage.DONE


def test_reference_of_other_models_is_not_compared(world):
    person = world.person().has_face()
    world.use_models("newer")
    refused(world, person, "alice", person.proves_totp())
    assert world.audited("face_refused")[0]["check"] == "reference_outdated"


def test_edited_reference_row_is_not_believed(world):
    person = world.person().has_face()
    world.run(update(Reference).values(expires_ms=Reference.expires_ms + 1))
    with pytest.raises(WrongMac):
        person.shows("alice", person.proves_totp())
    assert world.audited("integrity_failed") == [{"table": "face_references"}]


def test_reference_erased_during_the_verdict_accepts_nobody(world, monkeypatch):
    person = world.person().has_face()
    view = person.proves_totp()
    monkeypatch.setattr(face_verdict, "is_still", lambda *_: False)
    refused(world, person, "alice", view)
    assert last_refusal(world)["denied_by"] == ["reference_replaced"]


def test_face_step_is_over_when_it_is_done(world):
    person = world.person().has_face()
    view = person.shows("alice", person.proves_totp())
    with pytest.raises(CeremonyRefused):
        world.face.start(view, now=world.now)


def test_analysis_between_requests_is_sealed(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now)
    assert b"steps" not in challenge.view.sealed_scratch.encode()
    assert challenge.view.sealed_scratch.startswith("keyring:")


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("planarity:flat", "planarity:flat"),
        ("a frame is no JPEG", "a_frame_is_no_JPEG"),
        ("-> \u00e9", "unnamed"),
        ("", "unnamed"),
        ("x" * 80, "x" * 64),
    ],
)
def test_no_reason_can_keep_a_refusal_out_of_the_log(world, reason, word):
    world.audit.append("face_refused", at=world.now, details={"denied_by": [face_verdict.as_code(reason)]})
    assert last_refusal(world)["denied_by"] == [word]


def at_camera_for_light(world, person):
    """Come to the camera at the level that demands the colours."""
    view = person.comes_to(Purpose.LOGIN, acr="facestep-light")
    return world.totp.verify(view, person.code(), now=world.now)


def test_colours_are_not_drawn_for_who_declines_them(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), light=False, now=world.now)
    assert challenge.steps_total == 4
    assert "flash" not in world.audited("face_challenge_drawn")[-1]["steps"]


def test_colours_cannot_be_declined_where_the_level_demands_them(world):
    person = world.person().has_face()
    view = at_camera_for_light(world, person)
    with pytest.raises(FactorRejected, match="light_demanded"):
        world.face.start(view, light=False, now=world.now)
    assert world.face.start(person.view(), now=world.now).steps_total == 5, "no attempt was lost"


def test_a_demanded_cue_that_did_not_confirm_lets_nobody_in(world):
    person = world.person().has_face()
    view = at_camera_for_light(world, person)
    assert refused(world, person, "alice:colour/declined", view).code == "face_rejected"


def test_who_stands_in_too_much_light_is_told_what_to_do(world):
    person = world.person().has_face()
    assert refused(world, person, "alice:colour/no_light", person.proves_totp()).code == "light_missing"


def test_too_much_light_says_nothing_about_the_face(world):
    """Another person's face without the light gets the same answer: else the answer would tell that a face matches."""
    person = world.person().has_face()
    assert (
        refused(world, person, "bob:colour/no_light+identity/another_person", person.proves_totp()).code
        == "light_missing"
    )


# the chain and what looks as if no camera had sent it

VIRTUAL = CameraReport("OBS Virtual Camera", 640, 480, 30.0)


def test_each_challenge_has_a_key_of_its_own_that_is_not_shown(world):
    person = world.person().has_face()
    one = world.face.start(person.proves_totp(), now=world.now)
    other = world.face.start(person.view(), now=world.now)
    assert len(one.chain_key) == len(other.chain_key) == 32
    assert one.chain_key != other.chain_key
    assert one.chain_key.hex() not in repr(one)
    assert repr(one.chain_key) not in repr(one)


def test_a_virtual_camera_is_noted_and_refuses_nobody(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now, camera=VIRTUAL)
    done = world.face.push(challenge.view, shows("done:alice"), now=world.now)
    assert done.state == "finished"
    assert world.audited("factor_accepted")[-1]["risk"] == ["virtual_camera"]


def test_the_risk_stands_beside_the_reason_of_a_refusal(world):
    person = world.person().has_face()
    challenge = world.face.start(person.proves_totp(), now=world.now, camera=VIRTUAL)
    with pytest.raises(FaceRefused):
        world.face.push(challenge.view, shows("broken"), now=world.now)
    assert last_refusal(world)["denied_by"] == ["overlap"]
    assert last_refusal(world)["risk"] == ["virtual_camera"]


def test_a_camera_without_risk_leaves_no_code(world):
    person = world.person().has_face()
    person.shows("alice", person.proves_totp())
    assert "risk" not in world.audited("factor_accepted")[-1]
