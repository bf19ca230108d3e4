from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from plugin.cli import main
from plugin.store.tables import Reference
from tests.plugin.factors.world import REALM, world

__all__ = ["world"]


@pytest.fixture
def shell(world, monkeypatch):
    """Run a command on the world's own database; its people enrolled on START."""

    def run(*words, **settings):
        used = replace(world.settings, **settings)
        for field in fields(used):
            value = getattr(used, field.name)
            if value not in (None, ""):
                monkeypatch.setenv(f"FACESTEP_{field.name.upper()}", str(value))
        return CliRunner().invoke(main, ["references", *words])

    return run


@pytest.fixture
def enrolled_today(world):
    world.now = datetime.now(UTC)
    world.person().has_face()
    world.person("bob-id").has_face("bob")


@pytest.mark.usefixtures("enrolled_today")
def test_list_shows_whose_time_ends(shell):
    assert shell("list", "--expiring", "30").output == ""
    lines = [json.loads(line) for line in shell("list", "--expiring", "366", "--json").output.splitlines()]
    assert {line["subject"] for line in lines} == {"alice-id", "bob-id"}
    assert "alice-id at " + REALM in shell("list").output


def test_expire_deletes_what_is_due_and_says_so(world, shell, monkeypatch):
    world.person().has_face()
    world.passes(seconds=396 * 86_400)
    world.person("bob-id").has_face("bob")
    monkeypatch.setattr("plugin.wiring.utc_now", lambda: world.now)
    assert shell("expire", "--dry-run", "--json").output == '{"would_be_deleted": 1}\n'
    assert shell("expire").stdout == "1 references deleted\n"
    assert shell("expire", "--json").output == '{"deleted": 0}\n'
    with world.database.reading() as session:
        assert session.scalars(select(Reference.subject)).all() == ["bob-id"]


@pytest.mark.usefixtures("enrolled_today")
def test_export_is_json_of_one_person_and_is_audited(world, shell, tmp_path):
    out = tmp_path / "alice.json"
    result = shell("export", "--issuer", REALM, "--subject", "alice-id", "--out", str(out))
    assert result.exit_code == 0, result.output
    told = json.loads(out.read_text())
    assert told["about"]["subject"] == "alice-id"
    assert told["held"]["references"][0]["expires"]
    assert len(world.audited("subject_exported")) == 1


@pytest.mark.usefixtures("enrolled_today")
def test_erase_asks_and_then_erases_one_person_with_proof(world, shell):
    who = ("--issuer", REALM, "--subject", "alice-id")
    assert shell("erase", *who).exit_code == 1  # nobody said yes
    assert world.audited("erased") == []
    assert json.loads(shell("erase", *who, "--yes", "--json").output)["erased"] is True
    assert world.audited("erased")[0]["references"] == 1
    assert "there was nothing" in shell("erase", *who, "--yes").output
    with world.database.reading() as session:
        assert session.scalars(select(Reference.subject)).all() == ["bob-id"]
