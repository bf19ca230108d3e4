"""What all tests share: one PostgreSQL and one vault a run, and one Playwright (it cannot start twice in a thread)."""

from __future__ import annotations

import os
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.stack.chromium import launch_options
from tests.stack.postgresql import PostgreSQL
from tests.stack.process import end_cleanly_when_told
from tests.stack.real_vault import ADDRESS, real_vault, vault_place
from tests.stack.stores import fresh_store


def pytest_configure(config) -> None:
    """A test run that is told to stop ends its servers; a vault that the environment names may be reached."""
    end_cleanly_when_told()
    if named := urlsplit(os.environ.get(ADDRESS, "")).hostname:
        config.option.allow_hosts = f"{config.option.allow_hosts},{named}"


@pytest.fixture(scope="session")
def postgresql():
    """One server a run; each test gets a database of its own (tests/stack/stores.py)."""
    with PostgreSQL.start() as server:
        yield server


@pytest.fixture(scope="session")
def vault_server(tmp_path_factory):
    """One OpenBao a run, or the vault that the environment names."""
    with vault_place(tmp_path_factory.mktemp("openbao")) as place:
        yield place


@pytest.fixture(scope="module")
def vault(vault_server):
    """A mount of it that is this module's alone."""
    with real_vault(vault_server) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def store(request, tmp_path):
    """A migrated database of each kind."""
    with fresh_store(request.param, tmp_path, lambda: request.getfixturevalue("postgresql")) as made:
        yield made


@pytest.fixture
def database(store):
    """That database as the service opens it; a lock that is not freed shows quickly."""
    with closing(store.open()) as opened:
        yield opened


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only browser tests need it)

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright):
    """The distribution's Chromium; contexts of it are the browser profiles of people."""
    browser = playwright.chromium.launch(**launch_options())
    yield browser
    browser.close()
