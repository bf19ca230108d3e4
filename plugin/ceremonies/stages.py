"""Which stage follows which, and what must be proven by then. A stage cannot be skipped.

Rules:
 * A move that is not in NEXT does not happen.
 * No face before possession (NIST SP 800-63B-4 3.2.3: the endpoint is authenticated before capture).
 * A result needs both: a possession method and the face.
 * Whoever already has a possession factor proves it before anything is enrolled; nobody enrols with a password alone.
 * A recovery begins where a pass was accepted in a login, and shows the face first: until it is the enrolled one,
   nothing changes. Then only a new possession factor leads on, and the end needs both as always. A saved code opens
   the same recovery.
 * A face that cannot be compared any more is enrolled anew after two proofs by different methods: something the person
   has (or a saved code, and then that is set up anew too), and a code sent to the address on record
   (NIST SP 800-63B-4 4.2.2).
 * A check of the helpdesk is the face alone, of somebody who may have no other factor left. Its end is no result.

Not here: the store (service.py), how a method is proven (factors/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from plugin.ceremonies.types import POSSESSION_METHODS, Amr, Purpose, Stage
from plugin.errors import CeremonyRefused

NEXT: Final[dict[tuple[Purpose, Stage], Stage]] = {
    (Purpose.LOGIN, Stage.POSSESSION): Stage.FACE,
    (Purpose.LOGIN, Stage.FACE): Stage.DONE,
    (Purpose.ENROL, Stage.INVITATION): Stage.CONSENT,
    (Purpose.ENROL, Stage.POSSESSION): Stage.CONSENT,
    (Purpose.ENROL, Stage.CONSENT): Stage.POSSESSION_SETUP,
    (Purpose.ENROL, Stage.POSSESSION_SETUP): Stage.RECOVERY_CODES,
    (Purpose.ENROL, Stage.RECOVERY_CODES): Stage.FACE,
    (Purpose.ENROL, Stage.FACE): Stage.DONE,
    (Purpose.CHECK, Stage.FACE): Stage.DONE,
    (Purpose.RECOVER, Stage.FACE): Stage.POSSESSION_SETUP,
    (Purpose.RECOVER, Stage.POSSESSION_SETUP): Stage.RECOVERY_CODES,
    (Purpose.RECOVER, Stage.RECOVERY_CODES): Stage.DONE,
    (Purpose.NEW_FACE, Stage.POSSESSION): Stage.MAILED_CODE,
    (Purpose.NEW_FACE, Stage.MAILED_CODE): Stage.CONSENT,
    (Purpose.NEW_FACE, Stage.CONSENT): Stage.FACE,
    (Purpose.NEW_FACE, Stage.FACE): Stage.DONE,
    (Purpose.START_OVER, Stage.MAILED_CODE): Stage.CONSENT,
    (Purpose.START_OVER, Stage.CONSENT): Stage.POSSESSION_SETUP,
    (Purpose.START_OVER, Stage.POSSESSION_SETUP): Stage.RECOVERY_CODES,
    (Purpose.START_OVER, Stage.RECOVERY_CODES): Stage.FACE,
    (Purpose.START_OVER, Stage.FACE): Stage.DONE,
}
ENROL_TTL: Final = timedelta(minutes=15)
"""A person installs an app and writes codes down; Keycloak's own login timeout is 30 minutes."""
MAIL_TTL: Final = timedelta(minutes=25)
"""The same, and a letter that takes its time; NIST SP 800-63B-4 4.2 allows a mailed code a day."""
TURNS: Final[dict[tuple[Purpose, Purpose], tuple[Stage, timedelta]]] = {
    (Purpose.LOGIN, Purpose.RECOVER): (Stage.FACE, ENROL_TTL),
    (Purpose.LOGIN, Purpose.NEW_FACE): (Stage.POSSESSION, MAIL_TTL),
    (Purpose.NEW_FACE, Purpose.START_OVER): (Stage.MAILED_CODE, MAIL_TTL),
}
"""What a ceremony at possession may be turned into, where it stands then, and for how long."""


def first_stage(purpose: Purpose, *, has_possession: bool) -> Stage:
    """Return where a ceremony starts.

    A login starts at possession even if nothing is enrolled: from outside it must look the same.
    """
    if purpose is Purpose.CHECK:
        return Stage.FACE
    if purpose is Purpose.LOGIN or has_possession:
        return Stage.POSSESSION
    return Stage.INVITATION


def stage_after(purpose: Purpose, stage: Stage) -> Stage:
    """Return the one stage that follows, or raise CeremonyRefused at the end."""
    following = NEXT.get((purpose, stage))
    if following is None:
        raise CeremonyRefused("ceremony_refused", f"nothing_after_{stage}")
    return following


def check_move(purpose: Purpose, *, at: Stage, to: Stage, amr: tuple[str, ...]) -> None:
    """Let a move pass or raise CeremonyRefused.

    1. `to` is the one stage that follows `at`
    2. before the face, possession is proven in this very ceremony, unless it is a check
    3. before the end, the face is proven too
    4. in a recovery, the face is proven before anything is set up anew
    5. where a face is enrolled anew, possession is proven before all else
    """
    if NEXT.get((purpose, at)) is not to:  # (1)
        raise CeremonyRefused("ceremony_refused", f"no_move_{at}_to_{to}")
    needs_possession = purpose is not Purpose.CHECK and to in {Stage.FACE, Stage.DONE}
    if needs_possession and not POSSESSION_METHODS.intersection(amr):  # (2)
        raise CeremonyRefused("possession_first", f"no_possession_before_{to}")
    if to is Stage.DONE and Amr.FACE not in amr:  # (3)
        raise CeremonyRefused("ceremony_refused", "no_face_before_done")
    if purpose is Purpose.RECOVER and Amr.FACE not in amr:  # (4)
        raise CeremonyRefused("ceremony_refused", "no_face_before_recovery")
    if purpose in {Purpose.NEW_FACE, Purpose.START_OVER} and not POSSESSION_METHODS.intersection(amr):  # (5)
        raise CeremonyRefused("possession_first", f"no_possession_before_{to}")


def turned(purpose: Purpose, *, at: Stage, to: Purpose) -> tuple[Stage, timedelta]:
    """Return where a ceremony stands after it was turned into `to`, and for how long, or raise CeremonyRefused."""
    turn = TURNS.get((purpose, to))
    if at is not Stage.POSSESSION or turn is None:
        raise CeremonyRefused("ceremony_refused", f"no_{to}_at_{purpose}_{at}")
    return turn


def reached_acr(amr: tuple[str, ...], *, level: str) -> str:
    """Return `level` if these methods reach any, else ""; which level it is, is levels.py's."""
    return level if Amr.FACE in amr and POSSESSION_METHODS.intersection(amr) else ""
