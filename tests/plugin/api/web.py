"""A person at a browser, through Flask's test client: pages and calls of a ceremony on real services."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from urllib3 import encode_multipart_formdata

from biometric.liveness.chain import START, sign_frames
from biometric.types import Frame
from plugin.app import create_app
from plugin.factors.face import FaceFactor
from plugin.web.cookies import cookie_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.plugin.factors.world import Person, World


CAMERA = {"label": "Integrated Camera", "width": 640, "height": 480, "frame_rate": 30}


class NoCamera:
    """Stands where the models would be, in tests that must never get as far as looking at a picture."""

    calibration = SimpleNamespace(framing="none", models={}, id="none")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the models were asked for {name}")


def make_app(world: World, *, pipeline: Any = None, clock: Callable[[], datetime] | None = None) -> Flask:
    """Return the real application on the world's services; without a pipeline no picture may be looked at."""
    face = FaceFactor(
        ceremonies=world.ceremonies,
        pipeline=pipeline or NoCamera(),
        database=world.database,
        sealer=world.sealer,
        attempts=world.attempts,
        audit=world.audit,
        settings=world.settings,
    )
    services = SimpleNamespace(**parts_of(world) | {"face": face} | ({"clock": clock} if clock else {}))
    return create_app(world.settings, services)


def parts_of(world: World) -> dict[str, Any]:
    """Return the world's services by the names they have in `Services`; all but what only the doors use."""
    return {
        "settings": world.settings,
        "clock": lambda: world.now,
        "database": world.database,
        "sealer": world.sealer,
        "audit": world.audit,
        "ceremonies": world.ceremonies,
        "attempts": world.attempts,
        "totp": world.totp,
        "webauthn": world.webauthn,
        "recovery_codes": world.recovery_codes,
        "invitation": world.invitations,
        "enrolment": world.enrolment,
        "lifecycle": world.lifecycle,
        "face": world.face,
        "helpdesk": world.helpdesk,
        "me": world.me,
    }


class Chain:
    """Tags frames as the page does: a frame that is sent again keeps its tag."""

    def __init__(self, key: bytes) -> None:
        self._key, self._last = key, Frame(0, 0, b"", START)

    def sign(self, frames: list[Frame]) -> list[Frame]:
        """Return the frames with their tags."""
        known = frames[:1] == [replace(self._last, tag=b"")]
        signed = sign_frames(frames[1:] if known else frames, key=self._key, before=self._last.tag)
        whole = [self._last, *signed] if known else signed
        self._last = whole[-1] if whole else self._last
        return whole


@dataclass
class Browser:
    """One browser with its cookies; `person` is who sits there."""

    app: Flask
    person: Person
    chain: Chain = field(default_factory=lambda: Chain(bytes(32)))

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def issuer(self) -> str:
        return self.person.world.settings.issuer

    def takes_cookie(self) -> None:
        """Hold the cookie that /authorize gave for the person's ceremony."""
        self.client.set_cookie(cookie_name(self.person.ceremony_id), self.person.cookie)

    def page(self, query: str = "") -> TestResponse:
        self.takes_cookie()
        return self.client.get(f"/ceremony/{self.person.ceremony_id}{query}", base_url=self.issuer)

    def call(self, name: str, body: Any = None, **changes: Any) -> TestResponse:
        """POST as our page does; `changes` are headers (None leaves one out), `data` and `content_type`."""
        self.takes_cookie()
        data = changes.pop("data", None)
        content_type = changes.pop("content_type", "application/json")
        own = {"X-Facestep": "1", "Origin": self.issuer, "Sec-Fetch-Site": "same-origin"} | changes
        return self.client.post(
            f"/api/ceremony/{self.person.ceremony_id}/{name}",
            data=json.dumps({} if body is None else body) if data is None else data,
            content_type=content_type,
            headers={key: value for key, value in own.items() if value is not None},
            base_url=self.issuer,
        )

    def sends_frames(self, jpegs: list[bytes], *, first: int = 0) -> TestResponse:
        return self.uploads([(first + i, (first + i) * 66, jpeg) for i, jpeg in enumerate(jpegs)])

    def starts_face(self, *, light: bool = True, camera: dict[str, Any] = CAMERA) -> TestResponse:
        """Ask for a challenge; keep the key of its frames' chain."""
        response = self.call("face/start", {"light": light, "camera": camera})
        key = (response.get_json() or {}).get("chain_key")
        if key is not None:
            self.chain = Chain(urlsafe_b64decode(key + "="))
        return response

    def uploads(self, frames: list[tuple[int, int, bytes]], *, light_ms: int | None = None) -> TestResponse:
        """Send frames that say of themselves what the test says: position, time of capture, bytes."""
        tagged = self.chain.sign([Frame(*frame) for frame in frames])
        entries = [{"seq": one.seq, "captured_ms": one.captured_ms, "tag": one.tag.hex()} for one in tagged]
        meta = {"frames": entries, "light_ms": light_ms}
        parts: list[Any] = [("meta", json.dumps(meta))]
        parts += [(f"f{i}", (f"f{i}.jpg", jpeg, "image/jpeg")) for i, (_, _, jpeg) in enumerate(frames)]
        body, kind = encode_multipart_formdata(parts)
        return self.call("face/frames", data=body, content_type=kind)


def error_of(response: TestResponse) -> tuple[int, str]:
    """Return status and code; an error has nothing in it but its code and one sentence."""
    answer = response.get_json()
    assert set(answer) == {"error", "message"}
    return response.status_code, answer["error"]
