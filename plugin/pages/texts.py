"""Sentences that scripts show: rendered into each page, so that every word a person reads comes from the server.

Rules:
 * Short, plain sentences. Left and right are the person's own.
 * What went wrong with a browser's camera or passkey, and what to do; never why the server said no.

Not here: sentences of the server's errors (plugin/errors.py), of the pages themselves (templates/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_STEPS: Final = {
    "step.centre": "Look straight into the camera",
    "step.turn_left": "Slowly turn your head to your left",
    "step.turn_right": "Slowly turn your head to your right",
    "step.blink_1": "Blink once",
    "step.blink_2": "Blink twice",
    "step.blink_3": "Blink three times",
    "step.smile": "Smile",
    "step.closer": "Slowly come closer to the camera",
    "step.stay": "Good. Stay there",
    "step.flash": "Stay there and hold still while the screen changes its colour",
}

_HINTS: Final = {
    "hint.too_dark": "It is too dark. Turn on a light or face a window.",
    "hint.too_bright": "It is too bright. Turn away from the strong light.",
    "hint.too_far": "Come closer.",
    "hint.too_close": "Move back a little.",
    "hint.off_centre": "Move your face into the oval.",
    "hint.blurred": "Hold still, and wipe the lens if it is smeared.",
    "hint.turn_to_camera": "Face the camera.",
    "hint.look_straight": "Look straight into the camera.",
    "hint.hold_still": "Hold still for a moment.",
    "hint.turn_more": "A little further.",
    "hint.turn_slower": "Look straight, then turn slower and further.",
    "hint.wrong_side": "The other side, please.",
    "hint.blink_slower": "Count your blinks, and a little slower.",
    "hint.blink_again": "Now keep your eyes open. If nothing follows, blink again.",
    "hint.smile_more": "A bigger smile, please.",
    "hint.relax": "Relax your mouth first.",
    "hint.come_closer": "A little closer.",
    "hint.closer_slower": "Move back, then come closer slowly.",
    "hint.stay_near": "Stay there.",
    "hint.alone": "Make sure that you are alone in the picture.",
    "hint.no_face": "We cannot see your face.",
}

_FACE: Final = {
    "face.camera_opening": "Allow the camera if your browser asks.",
    "face.hold": "Bring your face into the oval",
    "face.good": "Good. Now look straight ahead",
    "face.checking": "Checking…",
    "face.finished": "Done. You are being taken on.",
    "face.again": "Try again",
    "seconds_left": "{seconds} s left",
}

_ERRORS: Final = {
    "error.unexpected": "Something went wrong. Try again.",
    "error.wait": "Wait {seconds} seconds.",
    "error.network": "The service does not answer. Check your connection and try again.",
    "error.answer_unreadable": "The service gave an answer that we do not understand. Try again.",
    "error.camera_denied": "The camera is blocked. Allow it with the icon in the address bar, then try again.",
    "error.camera_absent": "No camera was found. Connect one, or choose another way below.",
    "error.camera_busy": "The camera cannot be used. Close other programs that use it, then try again.",
    "error.camera_unsupported": "This browser cannot use a camera here. Use another browser, or another way below.",
    "error.camera_ended": "The camera was switched off. Switch it on and try again.",
    "error.light_stopped": "The colours were stopped and are switched off now. Try again.",
    "error.too_late": "The time is over. Try again.",
    "error.passkey_unsupported": "This device cannot use such a passkey. Choose another way below.",
    "error.passkey_dismissed": "No passkey was used. Try again, or choose another way below.",
    "error.passkey_known": "This device already has a passkey for this account.",
    "error.passkey_failed": "The passkey could not be used. Try again, or choose another way below.",
}

_NOTICES: Final = {
    "copied": "Copied.",
    "copy_failed": "Your browser did not allow copying. Select the text and copy it by hand.",
    "downloaded": "Saved as recovery-codes.txt in your downloads.",
}

BROWSER_TEXTS: Final = {**_STEPS, **_HINTS, **_FACE, **_ERRORS, **_NOTICES}


def browser_texts(translate: Callable[[str], str]) -> dict[str, str]:
    """Return all sentences for scripts in the language that `translate` speaks."""
    return {key: translate(sentence) for key, sentence in BROWSER_TEXTS.items()}
