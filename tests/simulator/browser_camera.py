"""Puts a simulated actor in place of a browser's camera. Works under a strict CSP: no eval, no inline, no request."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import BrowserContext, Page

    from tests.simulator.clips import Clip

SCRIPT = Path(__file__).with_name("browser_camera.js")
BINDING = "facestepSimulatedClip"


class BrowserCamera:
    """The camera of one page or context. Assign `clips` to change who sits there; the next document takes them.

    With `lit` off the page's light does not reach who sits there, as if the clips were films.
    """

    def __init__(self, clips: Mapping[str, Clip], *, lit: bool = True) -> None:
        self.clips = clips
        self.lit = lit

    def install(self, target: Page | BrowserContext) -> None:
        """Replace getUserMedia in every document that `target` opens from now on."""
        target.expose_binding(BINDING, self._send)
        if not self.lit:
            target.add_init_script("window.facestepLightIsElsewhere = true")
        target.add_init_script(path=SCRIPT)

    def _send(self, _source: Any, name: str) -> dict[str, list[str]]:
        """Answer the script in the page. Base64, because bindings carry JSON."""
        clip = self.clips[name]
        parts = {"enter": clip.enter, "loop": clip.loop, "leave": clip.leave, "light": (clip.light,) * bool(clip.light)}
        return {part: [b64encode(picture).decode() for picture in pictures] for part, pictures in parts.items()}
