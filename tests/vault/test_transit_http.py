"""Tries, waits and the circuit; TLS and namespaces are in test_transit_tls.py."""

from __future__ import annotations

import pytest

from tests.fakes.vault_answers import answering
from vault.circuit import Circuit
from vault.interface import VaultDenied, VaultError, VaultUnavailable
from vault.transit_http import VaultHttp, VaultRefused, VaultServer

GOOD = (200, {"data": {"ok": True}}, {})


class Waits:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 50.0, []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def http(url, waits=None, **more):
    waits = waits or Waits()
    return VaultHttp(VaultServer(url, **more), clock=waits.clock, sleep=waits.sleep)


def call(client, *, once=False):
    return client.call("POST", "transit/encrypt/k", {}, token="s.token", action="seal", once=once)


def first(*answers):
    """Give these answers, then good ones."""
    left = list(answers)
    return lambda _: left.pop(0) if left else GOOD


@pytest.mark.parametrize("status", [412, 429, 472, 473, 500, 501, 502, 503, 504])
def test_a_server_that_cannot_serve_for_a_moment_is_asked_again_after_a_random_wait(status):
    waits = Waits()
    with answering(first((status, {}, {}), (status, {}, {}))) as (url, asked):
        assert call(http(url, waits)) == {"data": {"ok": True}}
    assert len(asked) == 3
    assert len(set(waits.slept)) == 2
    assert all(0 < wait <= 0.2 for wait in waits.slept)


def test_it_gives_up_after_three_tries():
    with answering(lambda _: (503, {}, {})) as (url, asked), pytest.raises(VaultUnavailable, match="VaultDown"):
        call(http(url))
    assert len(asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_what_was_answered_is_not_asked_again(status):
    with answering(lambda _: (status, {"errors": ["no"]}, {})) as (url, asked), pytest.raises(VaultError):
        call(http(url))
    assert len(asked) == 1


def test_what_may_not_happen_twice_is_asked_once():
    with answering(lambda _: (503, {}, {})) as (url, asked), pytest.raises(VaultUnavailable):
        call(http(url), once=True)
    assert len(asked) == 1


def test_tries_end_with_the_timeout():
    waits = Waits()
    client = http("http://127.0.0.1:1", waits, timeout_s=0.01)
    with pytest.raises(VaultUnavailable):
        call(client)
    assert waits.slept == []


def test_a_dead_server_is_no_longer_asked_once_the_circuit_is_open():
    waits = Waits()
    circuit = Circuit(failures=2, pause_s=2.0, clock=waits.clock)
    with answering(lambda _: (503, {}, {})) as (url, asked):
        client = VaultHttp(VaultServer(url), circuit=circuit, clock=waits.clock, sleep=waits.sleep)
        for _ in range(2):
            with pytest.raises(VaultUnavailable, match="VaultDown"):
                call(client)
        with pytest.raises(VaultUnavailable, match="in a row"):
            call(client)
        assert len(asked) == 6
        waits.now += 2.0
        with pytest.raises(VaultUnavailable, match="VaultDown"):
            call(client)
        with pytest.raises(VaultUnavailable, match="in a row"):
            call(client)
    assert len(asked) == 9  # one caller tried, then open again


def test_refusals_do_not_open_the_circuit():
    with answering(lambda _: (403, {"errors": ["permission denied"]}, {})) as (url, asked):
        client = http(url)
        for _ in range(20):
            with pytest.raises(VaultDenied):
                call(client)
    assert len(asked) == 20


def test_the_namespace_goes_with_every_call():
    with answering(first()) as (url, asked):
        call(http(url, namespace="team-a"))
        call(http(url))
    assert [each.headers.get("X-Vault-Namespace") for each in asked] == ["team-a", None]


def test_what_the_server_says_is_one_short_line_without_the_token():
    said = "no\nwith s.token in it\u001b[31m" + "x" * 1000
    with answering(lambda _: (400, {"errors": [said]}, {})) as (url, _), pytest.raises(VaultRefused) as refused:
        call(http(url))
    assert "s.token" not in str(refused.value) + repr(refused.value)
    assert "<hidden>" in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400
