"""Threat: a rotation that ends in the middle (kill -9, a power cut, somebody who stops it on purpose) locks people out,
or leaves rows that nobody can judge.

A child process rotates and kills itself with SIGKILL at its first step, then at its second, and so on: when the vault
has done what it was asked for, before a commit, and around each replacement of the key file. After each kill every row
must open with the right MAC, and another run must finish.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import event

from plugin.store.database import Database
from tests.plugin.rotation.stored import Stored
from tests.stack.database import fresh_database
from tests.stack.keyring import fresh_keyring
from vault.interface import Purpose
from vault.policies import Role
from vault.transit import TransitSealer
from vault.transit_rotator import TransitRotator

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child has but one thread
PEOPLE, BATCH = 2, 1
CALLS = ("add_version", "rewrap_many", "forget_older")


class Killer:
    """Kills this process at step `last`."""

    def __init__(self, last):
        self._left = last

    def step(self):
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call):
        def stepping(*arguments, **more):
            made = call(*arguments, **more)
            self.step()
            return made

        return stepping


def rotate_and_die(database, held, last):
    """Rotate in a child process that kills itself at step `last`; return whether it came to its end before."""
    child = os.fork()
    if child:
        ended = os.waitpid(child, 0)[1]
        assert ended == 0 or os.WTERMSIG(ended) == signal.SIGKILL, "the rotation failed by itself"
        return ended == 0
    try:  # the child: connections of its own, and nothing of pytest's way out
        killer = Killer(last)
        sealer, rotator, macs = held()
        for name in CALLS:
            setattr(rotator, name, killer.around(getattr(rotator, name)))
        replace = Path.replace
        Path.replace = lambda *names: (killer.step(), replace(*names), killer.step())[1]
        own = Database(database._engine.url.render_as_string(hide_password=False))
        event.listen(own._engine, "commit", lambda _: killer.step())
        Stored(own, sealer).rotate(rotator, sealer=macs, batch=BATCH)
        own.close()
        os._exit(0)
    except BaseException:  # noqa: BLE001  (also SystemExit must not become the parent's)
        os._exit(2)


def killed_at_every_step(database, held):
    """Yield after each kill, with the number of its step; end when a rotation was not killed any more."""
    for last in count(1):
        if rotate_and_die(database, held, last):
            return
        yield last


def test_with_the_keyring(tmp_path):
    fresh_keyring(tmp_path)
    judge(tmp_path, lambda: (again(tmp_path),) * 3)


@pytest.mark.servers
def test_with_transit(tmp_path, vault):
    service, rotator = (vault.client_as(role).lease.current() for role in (Role.SERVICE, Role.ROTATOR))

    def held():
        client = vault.client(rotator)
        return TransitSealer.on(vault.client(service)), TransitRotator(client), TransitSealer.on(client)

    judge(tmp_path, held)


def again(folder):
    import warnings  # noqa: PLC0415

    from vault.keyring import KeyringSealer  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KeyringSealer(folder / "keyring.json")


def judge(folder, held):
    sealer, rotator, macs = held()
    with fresh_database(folder) as database:
        stored = Stored(database, sealer)
        stored.fill(PEOPLE)
        kills = 0
        for kills in killed_at_every_step(database, held):
            assert stored.everything_opens(), f"killed at step {kills}"
            done = stored.rotate(rotator, sealer=macs)
            assert all(done[purpose].finished for purpose in (Purpose.REFERENCE, Purpose.FACTOR_SECRET))
        assert kills >= 12
        assert stored.everything_opens()
        assert stored.events().count("integrity_failed") == 0
