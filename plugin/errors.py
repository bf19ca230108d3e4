"""Error codes of the service, their HTTP status and their one public sentence: the only table of its kind.

Rules:
 * What a person reads here tells an attacker nothing: unknown, used and expired look the same.
 * A code is stable; scripts and the audit log rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class ServiceError(Exception):
    """Root of the service's own errors. `code` is a key of PUBLIC; `detail` goes to the log only."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class FactorRejected(ServiceError):  # noqa: N818  (an outcome, not a fault)
    """A check of a factor said no. The person may try again if the attempt counters allow."""


class CeremonyRefused(ServiceError):  # noqa: N818
    """The ceremony is unknown, used, expired, of another browser or at another stage."""


class ClientRefused(ServiceError):  # noqa: N818
    """An identity provider's request is not acceptable."""


class LockedOut(ServiceError):  # noqa: N818
    """Too many attempts. `retry_after_s` is None when the factor is switched off for good."""

    def __init__(self, code: str, *, retry_after_s: int | None) -> None:
        super().__init__(code)
        self.retry_after_s = retry_after_s


class SettingsError(ServiceError):
    """The service refuses to start; the detail says which setting and what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__("settings_invalid", detail)


@dataclass(frozen=True, slots=True)
class Public:
    """What the outside sees of an error."""

    status: int
    message: str


PUBLIC: Final[dict[str, Public]] = {
    # requests
    "bad_request": Public(400, "The request could not be read."),
    "not_found": Public(404, "There is nothing here."),
    "too_large": Public(413, "The request is too large."),
    "too_many_requests": Public(429, "Too many requests. Wait a moment and try again."),
    "internal": Public(500, "Something went wrong on our side. Nothing was accepted."),
    "settings_invalid": Public(500, "The service is not set up."),
    # identity providers
    "client_refused": Public(401, "The identity provider's request was not accepted."),
    "keys_unavailable": Public(503, "The identity provider's keys could not be read. Try again in a moment."),
    # ceremonies: one message for unknown, used, expired, other browser
    "ceremony_refused": Public(410, "This step is no longer valid. Go back to the login page and start again."),
    "possession_first": Public(403, "Confirm your second factor first."),
    "cancelled": Public(403, "You stopped before the end. Nothing was changed."),
    # factors: one message for every miss
    "factor_rejected": Public(403, "That did not work. Try again."),
    "locked_for_now": Public(429, "Too many attempts. Wait before you try again."),
    "factor_off": Public(403, "This factor is switched off after too many attempts. Ask your helpdesk."),
    "not_enrolled": Public(403, "That did not work. Try again."),
    "renewals_used_up": Public(403, "Your face was renewed often. Ask your helpdesk: they must vouch for you again."),
    "consent_missing": Public(403, "Your consent is needed before the camera is used."),
    # helpdesk: read by agents, who are told what to do
    "helpdesk_login": Public(401, "Sign in first."),
    "helpdesk_login_refused": Public(403, "This sign-in was not accepted. Start again from the helpdesk page."),
    "helpdesk_role": Public(403, "You do not have the role that this needs."),
    "own_case": Public(403, "Nobody acts on their own account here. Ask a colleague."),
    "same_person": Public(403, "A second person must decide. This was asked for from an account of yours."),
    "same_place": Public(403, "The second person must decide at another place than the first."),
    "api_token": Public(401, "An access token of a service account of the realm is needed, for facestep-helpdesk."),
    "not_for_programs": Public(403, "A program may not do this; a person must."),
    "not_asked_by_you": Public(403, "Only who asked for it may see it."),
    "asker_gone": Public(409, "Whoever asked for this may no longer ask. Open a new case."),
    "holder_gone": Public(403, "One of the two may not break glass, or not any more. Open a new case."),
    "holder_without_address": Public(403, "Who breaks glass needs an address on record: else two accounts may be one."),
    "not_confirmed": Public(400, "Tick the sentence that says what breaking glass means, and send it again."),
    "too_many_break_glass": Public(429, "Glass was broken often today, or you asked for it often. Tell your lead."),
    "noter_gone": Public(409, "Whoever noted a proof may not do so any more. Open a new case and prove it anew."),
    "person_unknown": Public(404, "There is nobody with exactly this user name."),
    "too_many_lookups": Public(
        429, "Many people were looked up. Wait an hour, or tell your lead. You can still suspend."
    ),
    "too_many_cases": Public(
        429, "There were many cases about this person today. Tell your lead. You can still suspend."
    ),
    "too_many_asks": Public(429, "A lot was asked for today, by you, about this person or from here. Tell your lead."),
    "too_many_suspensions": Public(429, "Many people were suspended today, by you or from here. Tell your lead."),
    "approvers_case": Public(403, "This person agreed to a request of yours this week. Have a colleague do it."),
    "nothing_to_do": Public(409, "There is nothing of this person that this could be done to, or not any more."),
    "account_stopped": Public(409, "This person has stopped a recovery, or is suspended. Nothing is unlocked here."),
    "case_unknown": Public(404, "There is no such case."),
    "case_moved": Public(409, "The case has moved on meanwhile, or is over. Look at it again."),
    "proofs_missing": Public(409, "Not everything that must be proven has been noted."),
    "no_usable_face": Public(409, "No face is on record that a pass could be checked against. See them in person."),
    "proof_not_noted": Public(403, "The service notes this proof itself, once the person or the manager has answered."),
    "not_askable_now": Public(409, "This was asked for already: wait for the answer. After three times it is over."),
    "no_manager": Public(409, "No manager is on record for this person, or nobody who can be written to."),
    "manager_unfit": Public(
        409, "The manager on record must be somebody else than the person and everybody at work here."
    ),
    "no_address": Public(409, "There is no verified address on record to write to."),
    "mail_failed": Public(503, "The letter could not be sent, so nothing was issued. Try again later."),
    "suspended": Public(403, "This account is suspended. Call your helpdesk on the number you know."),
    # links in letters: read by the person and by the manager
    "link_over": Public(410, "This link is no longer valid. Call your helpdesk on the number you know."),
    "not_for_you": Public(403, "This was sent to somebody else. Sign in as the person who got the letter."),
    "cooling_down": Public(403, "Your factors were replaced a short time ago. This is possible again later."),
    # a way back in without the helpdesk, and people's own page
    "recovery_stopped": Public(403, "A recovery of this account was stopped a short time ago. Call your helpdesk."),
    "recovery_not_here": Public(403, "This login asks for more than usual. Log in somewhere else first."),
    "helpdesk_only": Public(403, "For your account, only your helpdesk can do this. Call them."),
    "no_mailbox": Public(403, "No mail address of yours is on record. Call your helpdesk."),
    "too_many_codes": Public(429, "Several codes were sent to you today. Try again tomorrow, or call your helpdesk."),
    "new_faces_used_up": Public(403, "Your face was replaced lately. Call your helpdesk: they must vouch for you."),
    "me_login": Public(401, "Sign in first."),
    "me_login_refused": Public(403, "This sign-in was not accepted. Start again."),
    "me_face_too_old": Public(403, "Show your face again first: this needs a sign-in of the last five minutes."),
    "me_not_confirmed": Public(400, "Tick the box first: this cannot be undone."),
    # pictures
    "image_unreadable": Public(422, "The picture could not be read."),
    "image_too_large": Public(413, "The picture is too large."),
    "no_face": Public(422, "No face was seen. Look at the camera."),
    "several_faces": Public(422, "More than one face was seen. Make sure you are alone in the picture."),
    "quality_too_low": Public(422, "The picture is not good enough. Check the light and your distance."),
    "frames_invalid": Public(422, "The pictures did not arrive as expected. Start the check again."),
    "frames_overtaken": Public(409, "Other pictures of this check came first. Start the check again."),
    "cannot_tell": Public(422, "The picture could not be judged."),
    "face_rejected": Public(403, "That did not work. Try again."),
    "light_demanded": Public(403, "Here the light of your screen is needed. Switch the colours on, or go another way."),
    "light_missing": Public(
        403, "Your screen's light did not reach your face. Make the screen brighter or the room darker, then try again."
    ),
    "model_missing": Public(503, "The face check is not available."),
    "model_digest_mismatch": Public(503, "The face check is not available."),
    "calibration_mismatch": Public(503, "The face check is not available."),
    "limits_mismatch": Public(503, "The face check is not available."),
    "biometric_error": Public(503, "The face check is not available."),
    # measuring (command line only)
    "report_unwritable": Public(500, "The report cannot be written there."),
    "clips_invalid": Public(400, "The list of clips could not be read."),
    # setting up an identity provider (command line only)
    "keycloak_unavailable": Public(503, "Keycloak does not answer."),
    "keycloak_denied": Public(403, "Keycloak does not allow this."),
    "keycloak_error": Public(502, "Keycloak refused a change."),
    "realm_missing": Public(404, "The realm does not exist."),
    "extension_missing": Public(409, "Keycloak has not loaded the extension."),
    # matching for several parties (plugin/encrypted)
    "caller_unknown": Public(401, "Say who you are: a bearer token that `facestep key-service add-caller` made."),
    "match_refused": Public(422, "That request was not judged."),
    "match_limited": Public(429, "This caller has asked too often today."),
    "he_refused": Public(422, "This is no ciphertext of ours."),
    "he_unavailable": Public(503, "The service is not available now. Try again later."),
    "encrypted_face": Public(422, "This is no encrypted face that can be compared."),
    "key_service_away": Public(503, "The key service does not answer."),
    "key_service_files": Public(500, "The key service is not set up."),
    # what we stand on
    "vault_error": Public(503, "The service is not available now. Try again later."),
    "vault_unavailable": Public(503, "The service is not available now. Try again later."),
    "vault_denied": Public(503, "The service is not available now. Try again later."),
    "vault_wrong_context": Public(500, "Something went wrong on our side. Nothing was accepted."),
    "vault_wrong_mac": Public(500, "Something went wrong on our side. Nothing was accepted."),
    "vault_wrong_signature": Public(500, "Something went wrong on our side. Nothing was accepted."),
    "vault_key_too_old": Public(500, "Something went wrong on our side. Nothing was accepted."),
    "store_busy": Public(503, "The service is busy. Try again in a moment."),
    "reference_expired": Public(403, "Your face has to be enrolled again. Ask your helpdesk how."),
    "reference_outdated": Public(403, "Your face has to be enrolled again. Ask your helpdesk how."),
    "export_unreadable": Public(400, "The export could not be read."),
    "checkpoint_unreadable": Public(400, "The checkpoint could not be read."),
    "audit_chain_broken": Public(500, "Something went wrong on our side. Nothing was accepted."),
    "store_unavailable": Public(503, "The service is not available now. Try again later."),
    "role_invalid": Public(400, "The name of the role could not be read."),
    "store_denied": Public(503, "The service is not available now. Try again later."),
}


def public(code: str) -> Public:
    """Return what the outside may know of `code`; an unknown code is an internal error, never a success."""
    return PUBLIC.get(code, PUBLIC["internal"])
