from __future__ import annotations

import pytest

from vault.circuit import Circuit
from vault.interface import VaultUnavailable


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def circuit(clock):
    return Circuit(failures=3, pause_s=2.0, clock=clock)


def fail(circuit, times):
    for _ in range(times):
        circuit.admit()
        circuit.failed()


def test_it_stays_closed_below_the_limit_and_an_answer_starts_the_count_anew(circuit):
    fail(circuit, 2)
    circuit.answered()
    fail(circuit, 2)
    circuit.admit()
    assert not circuit.is_open


def test_open_it_refuses_at_once(circuit):
    fail(circuit, 3)
    assert circuit.is_open
    with pytest.raises(VaultUnavailable, match="3 times in a row"):
        circuit.admit()


def test_after_the_pause_one_caller_tries_and_the_others_wait_for_him(circuit, clock):
    fail(circuit, 3)
    clock.now += 2.0
    circuit.admit()
    with pytest.raises(VaultUnavailable):
        circuit.admit()
    circuit.answered()
    circuit.admit()
    assert not circuit.is_open


def test_a_try_that_fails_keeps_it_open_for_another_pause(circuit, clock):
    fail(circuit, 3)
    clock.now += 2.0
    fail(circuit, 1)
    clock.now += 1.9
    with pytest.raises(VaultUnavailable):
        circuit.admit()
    clock.now += 0.1
    circuit.admit()


def test_a_caller_who_never_comes_back_does_not_keep_it_open_for_good(circuit, clock):
    fail(circuit, 3)
    clock.now += 2.0
    circuit.admit()  # and nothing is ever heard of it
    clock.now += 2.0
    circuit.admit()
