"""The face factor: a challenge drawn here, frames judged by biometric/liveness, compared or enrolled.

Rules:
 * Possession was proven in this ceremony (stages.py); consent was given, where a face is enrolled.
 * Drawing a challenge takes an attempt; a ceremony has three, the counters of the subject outlive it.
 * Between requests the analysis lies sealed in the ceremony, bound to its version: an older one cannot be put back.
 * A challenge is consumed before its verdict is reached, and by anything that goes wrong with it.
 * Of requests that bring frames at once, one is looked at; the others lose before a picture is decoded.
 * Frames are gone when the request is over. The outside learns yes or no; scores and cues go to the audit log.

Not here: what a live face is (biometric/liveness), what is compared and stored (face_verdict.py).
"""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np

from biometric.errors import BiometricError, FramesInvalid
from biometric.liveness.chain import KEY_BYTES
from biometric.liveness.challenge import draw_challenge, draw_colours, draw_pauses
from biometric.liveness.session import FaceSession, State
from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.levels import DEMANDED, demands_light, level_of
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors.camera_report import CameraReport, camera_risks
from plugin.factors.face_answers import FaceChallenge, FaceProgress, FaceRefused, step_of
from plugin.factors.face_verdict import FaceDenied, FaceVerdict, as_code, noted, scores, versions
from plugin.factors.frame_memory import FrameMemory
from plugin.factors.gate import Gate
from plugin.factors.references import References
from plugin.store.instants import to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random

    from sqlalchemy.orm import Session

    from biometric.liveness.session import Progress
    from biometric.pipeline import FacePipeline
    from biometric.types import Comparison, Frame
    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.scratch import Scratch
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer

MAX_CHALLENGES: Final = 3  # in one ceremony: a person who fails three times needs another way, not a fourth try
SESSION: Final = "face"
STARTED: Final = "face_started_ms"
TRIES: Final = "face_tries"
ANOTHER: Final = "identity:another_person"  # biometric/liveness/cues/identity.py
NO_LIGHT: Final = "colour:no_light"  # the person can do something about it
_CHANCE_BITS: Final = 128  # of what seeds the choice of frames; as much as numpy takes from the system by itself


class FaceFactor:
    """Draw challenges, take frames, reach verdicts."""

    def __init__(
        self,
        *,
        ceremonies: Ceremonies,
        pipeline: FacePipeline,
        database: Database,
        sealer: Sealer,
        attempts: Attempts,
        audit: AuditSink,
        settings: Settings,
        rng: Random | None = None,
        sessions: type[FaceSession] = FaceSession,
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies
        self._memory = FrameMemory(database)
        self._pipeline = pipeline
        self._database = database
        self._settings = settings
        self._rng = rng or SystemRandom()
        self._sessions = sessions
        references = References.of(settings, database=database, sealer=sealer, calibration=pipeline.calibration)
        self._verdict = FaceVerdict(
            gate=self._gate,
            references=references,
            database=database,
            attempts=attempts,
            calibration=pipeline.calibration,
            renewals_max=settings.renewals_max,
        )

    def start(
        self, view: CeremonyView, *, now: datetime, light: bool = True, camera: CameraReport | None = None
    ) -> FaceChallenge:
        """Draw a challenge and reveal its opening. Without `light` the person has declined the colours.

        What the page says of its `camera` is noted as risk and decides nothing.

        1. at the face stage: possession is proven          3. the colours may be declined at this level
        2. enrolling: consent is given, before any picture   4. tries left in this ceremony     5. attempt counted

        Raises:
            CeremonyRefused, FactorRejected, FaceRefused, LockedOut: nothing was drawn.
        """
        self._require_stage(view, now=now)  # (1)
        if view.purpose.enrols_face:  # (2)
            self._verdict.require_may_enrol(view, now=now)
        if not light and demands_light(self._level(view)):  # (3)
            raise FactorRejected("light_demanded", "declined")
        scratch = self._ceremonies.scratch(view)
        tries = int(scratch.get(TRIES) or b"0") + 1
        if tries > MAX_CHALLENGES:  # (4)
            self._refuse(view, scratch, "face_rejected", ["too_many_challenges"], now=now)
        self._gate.take(view, _counted(view), now=now)  # (5)
        steps = draw_challenge(self._rng, light=light)
        deadline_ms = self._settings.challenge_ttl_s * 1000
        chain_key = self._rng.randbytes(KEY_BYTES)
        session = self._sessions.begin(
            steps,
            mode="enrol" if view.purpose.enrols_face else "login",
            pauses_ms=draw_pauses(self._rng, steps),
            colours=draw_colours(self._rng) if light else (),
            deadline_ms=deadline_ms,
            chain_key=chain_key,
            camera_risks=camera_risks(camera),
        )
        left = {"code": "face_rejected", "denied_by": ["left_unfinished"], "attempt": tries - 1}
        unfinished = scratch.get(SESSION) is not None
        scratch = _with(scratch, session, started_ms=to_ms(now)).with_part(TRIES, str(tries).encode())

        def within(transaction: Session) -> None:
            if unfinished:
                self._gate.log("face_refused", view, now=now, details=left, session=transaction)
            details = {"steps": [str(step) for step in steps], "attempt": tries}
            self._gate.log("face_challenge_drawn", view, now=now, details=details, session=transaction)

        view = self._ceremonies.save_scratch(view, scratch, now=now, within=within)
        return FaceChallenge(
            step=step_of(session, -1), steps_total=len(steps), deadline_ms=deadline_ms, chain_key=chain_key, view=view
        )

    def push(
        self, view: CeremonyView, frames: Sequence[Frame], *, now: datetime, light_ms: int | None = None
    ) -> FaceProgress:
        """Take the next frames of the running challenge; at its end reach the verdict.

        Raises:
            FaceRefused: the frames or the person were not accepted; the challenge is consumed.
            CeremonyRefused: other frames of this challenge came first; these were not looked at.
        """
        self._require_stage(view, now=now)
        scratch = self._ceremonies.scratch(view)
        stored, started = scratch.get(SESSION), scratch.get(STARTED)
        if stored is None or started is None:
            self._refuse(view, scratch, "frames_invalid", ["no_challenge"], now=now)
        challenge = f"{view.id}:{int(scratch.get(TRIES) or b'0')}"
        session = self._claimed(view, scratch, stored, frames, challenge=challenge, now=now)
        try:
            progress = self._look(session, frames, light_ms=light_ms, now_ms=to_ms(now) - int(started))
        except BiometricError as exc:
            reason = str(session.evidence.broken or exc.code)
            self._refuse(view, scratch, exc.code, [reason], now=now, risks=session.risks())
        if progress.state is State.FAILED:
            reason = str(session.evidence.failed)
            self._refuse(view, scratch, "face_rejected", [reason], now=now, risks=session.risks())

        def within(transaction: Session) -> None:
            self._memory.remember(transaction, frames, challenge=challenge, now=now)

        if progress.state is State.FINISHED:
            scratch = scratch.without(SESSION, STARTED)
            view = self._ceremonies.save_scratch(view, scratch, now=now, within=within)
            return self._finish(view, scratch, session, now=now)
        scratch = scratch.with_part(SESSION, session.to_bytes())
        view = self._ceremonies.save_scratch(view, scratch, now=now, within=within)
        step = step_of(session, progress.step_index)
        return FaceProgress(state=progress.state.value, hint=progress.hint, step=step, view=view)

    def _claimed(
        self,
        view: CeremonyView,
        scratch: Scratch,
        stored: bytes,
        frames: Sequence[Frame],
        *,
        challenge: str,
        now: datetime,
    ) -> FaceSession:
        """Return the analysis so far, for the one request that may carry it on; nothing was decoded yet.

        1. no frame of another challenge      2. the first request at this state      3. written by this version
        """
        if self._memory.has_seen(frames, challenge=challenge):  # (1)
            self._refuse(view, scratch, "face_rejected", ["frames_seen_before"], now=now)
        if not self._memory.claim(view, challenge=challenge):  # (2), not audited: whoever asks in vain writes nothing
            raise CeremonyRefused("frames_overtaken", "state_claimed")
        try:
            return self._sessions.from_bytes(stored)
        except FramesInvalid as exc:  # (3)
            self._refuse(view, scratch, exc.code, ["state_unreadable"], now=now)

    def _finish(self, view: CeremonyView, scratch: Scratch, session: FaceSession, *, now: datetime) -> FaceProgress:
        """Reach the verdict of a challenge that is already consumed."""
        judge = self._verdict.enrol if view.purpose.enrols_face else self._verdict.verify
        try:
            done = judge(view, session, demanded=DEMANDED[self._level(view)], now=now)
        except FaceDenied as exc:
            # Whatever else denied: said only where nothing else did, it would tell that the face had matched.
            code = "light_missing" if NO_LIGHT in exc.reasons else exc.code
            self._refuse(view, scratch, code, exc.reasons, now=now, likeness=exc.likeness, risks=session.risks())
        return FaceProgress(state="finished", hint=None, step=None, view=done)

    def _level(self, view: CeremonyView) -> str:
        return level_of(view.acr, least=self._settings.least_level)

    def _look(self, session: FaceSession, frames: Sequence[Frame], *, light_ms: int | None, now_ms: int) -> Progress:
        """Let the frames be looked at, within the limits of the settings."""
        return session.push(
            frames,
            pipeline=self._pipeline,
            now_ms=now_ms,
            light_ms=light_ms,
            max_frame_bytes=self._settings.max_frame_bytes,
            max_frames=self._settings.max_frames,
            chance=np.random.default_rng(self._rng.getrandbits(_CHANCE_BITS)),
        )

    def _require_stage(self, view: CeremonyView, *, now: datetime) -> None:
        if view.stage is Stage.FACE:
            return
        if view.stage is Stage.DONE:
            raise CeremonyRefused("ceremony_refused", "not_at_face")
        self._gate.log("face_refused", view, now=now, details={"check": "possession_first", "stage": view.stage.value})
        raise CeremonyRefused("possession_first", f"face_at_{view.stage}")

    def _refuse(
        self,
        view: CeremonyView,
        scratch: Scratch,
        code: str,
        reasons: Sequence[str],
        *,
        now: datetime,
        likeness: Comparison | None = None,
        risks: Sequence[str] = (),
    ) -> NoReturn:
        """Consume the challenge, or end the ceremony after the last one; audit why; raise FaceRefused."""
        tries = int(scratch.get(TRIES) or b"0")
        details = {
            "code": code,
            "denied_by": [as_code(reason) for reason in reasons],
            "attempt": tries,
            **versions(self._pipeline.calibration),
            **scores(likeness),
            **noted(risks),
        }
        self._gate.log("face_refused", view, now=now, details=details)
        settled = view.purpose is Purpose.CHECK and tuple(reasons) == (ANOTHER,)  # alive, and somebody else
        may_retry = tries < MAX_CHALLENGES and not settled
        if not may_retry:
            self._ceremonies.end(view, now=now, reason="face_refused")
        elif scratch.get(SESSION) is not None:
            self._ceremonies.save_scratch(view, scratch.without(SESSION, STARTED), now=now)
        raise FaceRefused(code, ",".join(reasons), may_retry=may_retry, another=ANOTHER in reasons)


def _counted(view: CeremonyView) -> Counted:
    return Counted.FACE_ENROL if view.purpose.enrols_face else Counted.FACE


def _with(scratch: Scratch, session: FaceSession, *, started_ms: int) -> Scratch:
    return scratch.with_part(SESSION, session.to_bytes()).with_part(STARTED, str(started_ms).encode())
