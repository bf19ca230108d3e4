from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.ceremonies.redirects import denied_url, success_url
from plugin.ceremonies.scratch import Scratch
from plugin.ceremonies.types import NewCeremony, Purpose
from plugin.store.instants import from_ms, to_ms


def test_scratch_survives_its_bytes():
    scratch = Scratch().with_part("totp", b"secret").with_part("face", bytes(range(256))).with_part("empty", b"")
    assert dict(Scratch.from_bytes(scratch.to_bytes()).parts) == dict(scratch.parts)


def test_scratch_is_never_changed_in_place():
    first = Scratch().with_part("a", b"1")
    assert first.with_part("a", b"2").get("a") == b"2"
    assert first.get("a") == b"1"
    assert first.without("a").get("a") is None
    with pytest.raises(TypeError):
        first.parts["a"] = b"3"


def test_scratch_prints_names_only():
    assert repr(Scratch().with_part("totp", b"secret")) == "Scratch(totp)"


def test_browser_token_is_not_printed():
    assert "hidden" not in repr(NewCeremony(id="id", browser_token="hidden"))


def test_time_survives_milliseconds():
    moment = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    assert from_ms(to_ms(moment)) == moment
    assert to_ms(moment.astimezone(timezone(timedelta(hours=5)))) == to_ms(moment)


def test_naive_time_is_a_mistake():
    with pytest.raises(TypeError):
        to_ms(datetime(2026, 3, 1))  # noqa: DTZ001


def test_redirects_keep_the_query_of_the_identity_provider(world):
    view = world.person().comes_to(Purpose.LOGIN)
    good, bad = urlsplit(success_url(view, "c&d")), urlsplit(denied_url(view, "cancelled"))
    assert parse_qs(good.query) == {"session_code": ["abc"], "code": ["c&d"], "state": ["state-of-this-login"]}
    assert parse_qs(bad.query)["error"] == ["access_denied"]
    assert parse_qs(bad.query)["error_description"] == ["cancelled"]


def test_redirect_without_a_query_gets_one(world):
    view = replace(world.person().comes_to(Purpose.LOGIN), redirect_uri="https://idp.example/back")
    assert success_url(view, "c") == "https://idp.example/back?code=c&state=state-of-this-login"
