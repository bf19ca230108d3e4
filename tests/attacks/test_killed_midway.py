"""The power goes, or somebody kills the process: at every step of whatever the service writes.

Each step is one write or one commit. Afterwards everything that is stored fits together and is as we wrote it, the
audit log tells of exactly what is there, and the person can begin again. A rotation of the keys can be run again.
"""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from plugin.audit.checkpoints import Checkpoints
from plugin.audit.log import AuditLog
from plugin.ceremonies.types import Purpose
from plugin.store.database import Database
from plugin.store.integrity import check
from plugin.store.tables import (
    Base,
    Ceremony,
    Consent,
    Invitation,
    RecoveryCode,
    Reference,
    ResultCode,
    TotpSecret,
)
from tests.plugin.factors.worlds import ServerWorld, World, reopened
from tests.plugin.rotation.stored import Stored
from tests.stack.crashing import Crashes
from tests.stack.database import migrated_file
from vault.keyring import KeyringSealer, create_keyring
from vault.warning import UnsafeDevelopmentWarning

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOST_STEPS = 200

MADE_WITH = {
    Consent: "consent_given",
    Reference: "enrolled",
    ResultCode: "result_issued",
    Ceremony: "ceremony_begun",
    Invitation: "invitation_issued",
}
"""One row, one entry; both or neither."""


def enrols(folder, url):
    with reopened(folder, url) as world:
        world.person().has_face()


def logs_in(folder, url, codes):
    with reopened(folder, url) as world:
        person = world.person()
        person.codes = codes
        world.passes(seconds=120)
        view = world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[0], now=world.now)
        code = world.ceremonies.issue_code(person.shows("alice", view), now=world.now)
        world.redeem(code)


def erases(folder, url):
    with reopened(folder, url) as world:
        world.enrolment.erase(world.person().owner, now=world.now)


@pytest.fixture(scope="module")
def crashes():
    with Crashes(__name__) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def kept(request, tmp_path, crashes):
    """Every write and commit on SQLite; commits on PostgreSQL, where a kill in between ends in the same rollback."""
    if request.param == "sqlite":
        yield Files(crashes, tmp_path)
        return
    server = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield Databases(crashes, tmp_path, server, url)


class Kept:
    """A world that is prepared once; each step works on a copy of it."""

    commits_only = False

    def __init__(self, crashes, folder) -> None:
        self.crashes, self.folder = crashes, folder

    def for_every_world(self, work, *, prepare=lambda _world: ()):
        """Kill `work` at its first step, at its second, …; yield the world that is left each time."""
        world = self.new_world()
        arguments = prepare(world)
        world.database.close()
        for step, folder, url in self.for_every_step(work, *arguments):
            with reopened(folder, url) as left:
                yield step, left

    def for_every_step(self, work, *arguments):
        for step in range(1, MOST_STEPS):
            with self.copy() as (folder, url):
                killed = self.crashes.at(step, work, folder, url, *arguments, commits_only=self.commits_only)
                yield step, folder, url
            if not killed:
                return
        raise AssertionError(f"more than {MOST_STEPS} steps")


class Files(Kept):
    """SQLite: a folder is copied."""

    def __init__(self, crashes, folder) -> None:
        super().__init__(crashes, folder)
        self.prepared = folder / "prepared"
        self.prepared.mkdir()
        (self.prepared / "facestep.db").write_bytes(migrated_file())

    def new_world(self):
        (self.prepared / "facestep.db").unlink()
        return World(self.prepared)

    def database(self, folder=None, url=None):
        return Database(f"sqlite:///{folder or self.prepared}/facestep.db")

    @contextmanager
    def copy(self):
        copied = self.folder / "copy"
        shutil.copytree(self.folder / "prepared", copied)
        yield copied, None
        shutil.rmtree(copied)


class Databases(Kept):
    """PostgreSQL: a database is copied."""

    commits_only = True

    def __init__(self, crashes, folder, server, url) -> None:
        super().__init__(crashes, folder)
        self.prepared, self.server, self.url = folder, server, url

    def new_world(self):
        return ServerWorld(self.folder, self.url)

    def database(self, folder=None, url=None):
        return Database(url or self.url)

    @contextmanager
    def copy(self):
        with self.server.database(copy_of=self.url) as copied:
            yield self.folder, copied


def rows(world, table):
    with world.database.reading() as session:
        return list(session.scalars(select(table)))


def fits_together(world):
    """Nothing is half there: every row is as we wrote it, and the log tells of exactly what is there."""
    world.audit.verify()
    for mapper in Base.registry.mappers:
        if "mac" in mapper.columns:
            for row in rows(world, mapper.class_):
                check(row, sealer=world.sealer)
    told = Counter(entry.event for entry in world.audit.entries(limit=1000, as_stored=True))
    if not told["erased"]:
        assert {table: len(rows(world, table)) for table in MADE_WITH} == {
            table: told[event] for table, event in MADE_WITH.items()
        }
        assert len(rows(world, RecoveryCode)) == 10 * told["recovery_codes_issued"]
        assert len(rows(world, TotpSecret)) == told["factor_added"]
        ended = [row for row in rows(world, Ceremony) if row.ended_ms is not None]
        assert len(ended) == told["result_issued"]
        assert len([row for row in rows(world, ResultCode) if row.used_ms is not None]) >= told["result_redeemed"]
        assert len([row for row in rows(world, Invitation) if row.used_ms is not None]) == told["invitation_used"]
        assert len([row for row in rows(world, RecoveryCode) if row.used_ms is not None]) == sum(
            entry.event == "factor_accepted" and entry.details["factor"] == "recovery"
            for entry in world.audit.entries(limit=1000)
        )
    return told


def begins_again(world):
    """The person is not locked out by what was left: somebody vouches for her anew, and she gets in."""
    world.passes(seconds=3600)
    alice = world.person()
    world.enrolment.erase(alice.owner, now=world.now)
    alice.has_face()
    world.redeem(world.ceremonies.issue_code(alice.shows("alice", alice.proves_totp()), now=world.now))
    world.audit.verify()


def test_an_enrolment_that_is_killed_at_any_step(kept):
    seen = set()
    for step, world in kept.for_every_world("enrols"):
        told = fits_together(world)
        seen.add(tuple(sorted(told)))
        if step in {3, 10, 30}:
            begins_again(world)
    assert told["enrolled"] == told["result_issued"] == 1
    assert len(seen) >= 7  # killed before the invitation, after it, … after the result


def test_a_login_that_is_killed_at_any_step(kept):
    def enrolled(world):
        person = world.person().has_face()
        return (person.codes,)

    for _, world in kept.for_every_world("logs_in", prepare=enrolled):
        told = fits_together(world)
        assert told["enrolled"] == 1
        assert len(rows(world, Reference)) == 1
    assert told["result_redeemed"] == 1


def test_an_erasure_that_is_killed_at_any_step(kept):
    def enrolled(world):
        world.person().has_face()
        return ()

    for _, world in kept.for_every_world("erases", prepare=enrolled):
        told = fits_together(world)
        left = [rows(world, table) for table in (Reference, TotpSecret, RecoveryCode, Ceremony, ResultCode)]
        assert all(left) is (told["erased"] == 0)
        assert any(left) is (told["erased"] == 0)
        assert all(row.withdrawn_ms is None for row in rows(world, Consent)) is (told["erased"] == 0)
    assert told["erased"] == 1


def rotates(folder, url):
    sealer = keyring_of(Path(folder))
    with closing(Database(url or f"sqlite:///{folder}/facestep.db")) as database:
        Stored(database, sealer).rotate(sealer, batch=2)


def test_a_rotation_that_is_killed_at_any_step(kept):
    """Everything opens at every step, under the old version or the new one, and the next run finishes the work."""
    create_keyring(kept.prepared / "keyring.json")
    with closing(kept.database()) as database:
        Stored(database, keyring_of(kept.prepared)).fill(4)
    before = (kept.prepared / "keyring.json").read_bytes()
    for _, folder, url in kept.for_every_step("rotates"):
        sealer = keyring_of(folder)
        with closing(kept.database(folder, url)) as database:
            stored = Stored(database, sealer)
            assert stored.everything_opens()
            stored.rotate(sealer)
            assert stored.everything_opens()
            assert len(stored.marks()) == 1
        (folder / "keyring.json").write_bytes(before)


APPENDED = 30


def appends(url, folder):
    """Write entries and checkpoints, and say on paper which entries were confirmed."""
    folder = Path(folder)
    with closing(Database(url, busy_timeout_s=5)) as database, (folder / "confirmed").open("a") as paper:
        log = AuditLog(database)
        checkpoints = checkpoints_of(database, folder)
        for number in range(APPENDED):
            log.append("factor_refused", at=NOW, subject=f"person-{number}", details={"factor": "totp"})
            paper.write(".")
            paper.flush()
            if number % 10 == 9:
                checkpoints.make(now=NOW)


def checkpoints_of(database, folder):
    return Checkpoints(database, signer=keyring_of(folder), deployment="https://facestep.example")


def keyring_of(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsafeDevelopmentWarning)
        return KeyringSealer(folder / "keyring.json")


def test_an_entry_or_checkpoint_that_is_killed_at_any_step(store, database, tmp_path, crashes):
    """One log for all: it grows over every kill, and no entry that was confirmed is ever missing."""
    create_keyring(tmp_path / "keyring.json")
    for step in (*range(1, 7), *range(19, 26), 10**6):
        crashes.at(step, "appends", store.url, tmp_path)
        chain, signed = checkpoints_of(database, tmp_path).verify()
        confirmed = len((tmp_path / "confirmed").read_text())
        assert confirmed <= chain.head.seq
        assert AuditLog(database).head() == chain.head
    assert len(signed) >= APPENDED // 10
    assert chain.head.seq >= confirmed >= 13 + APPENDED
