"""A world on each database: every test of a repository runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from plugin.store.database import Database
from tests.plugin.factors.world import World, hash_cheaply


class ServerWorld(World):
    """A world whose rows lie in a database of the test run's PostgreSQL."""

    def __init__(self, folder, url, *, new=True) -> None:
        self._url = url
        super().__init__(folder, new=new)

    def open_database(self):
        return Database(self._url)

    def _migrate(self) -> None:
        """The database was copied from a migrated one."""


def pytest_generate_tests(metafunc):
    """Both databases, but for tests that run the models: those are long, and store what scripted ones store."""
    if "world" in metafunc.fixturenames:
        models = any(mark.name == "models" for mark in metafunc.definition.iter_markers())
        server = pytest.param("postgresql", marks=pytest.mark.servers)
        metafunc.parametrize("world", ["sqlite"] if models else ["sqlite", server], indirect=True)


@pytest.fixture
def world(request, tmp_path, monkeypatch):
    hash_cheaply(monkeypatch)
    if request.param == "sqlite":
        made = World(tmp_path)
        yield made
        made.database.close()
        return
    with request.getfixturevalue("postgresql").database() as url:
        made = ServerWorld(tmp_path, url)
        yield made
        made.database.close()


@contextmanager
def reopened(folder, url=None):
    """Yield the world of `folder` as another process finds it; `url` is where its rows lie, if not in the folder."""
    folder = Path(folder)
    with pytest.MonkeyPatch.context() as patch:
        hash_cheaply(patch)
        made = ServerWorld(folder, url, new=False) if url else World(folder, new=False)
        try:
            yield made
        finally:
            made.database.close()
