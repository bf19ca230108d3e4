import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

import biometric
from biometric.calibration import record_digest
from plugin.cli import main
from plugin.commands.serve import Server, check_port, without_queries
from plugin.errors import ServiceError
from tests.stack.process import free_port


@pytest.fixture(autouse=True)
def _logging_as_before():
    """`serve` sets up the process's logging; the other tests of this process want theirs."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A configured folder; returns the port it will listen on."""
    port = free_port()
    values = {
        "issuer": f"http://localhost:{port}",
        "listen_port": port,
        "database_url": f"sqlite:///{tmp_path / 'facestep.db'}",
        "environment": "development",
        "vault_backend": "keyring",
        "keyring_file": str(tmp_path / "keyring.json"),
    }
    (tmp_path / "facestep.toml").write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
    monkeypatch.setenv("FACESTEP_CONFIG", str(tmp_path / "facestep.toml"))
    return port


@pytest.mark.usefixtures("folder", "served_models")
def test_an_old_database_is_one_line(monkeypatch):
    monkeypatch.setattr("plugin.wiring.open_pipeline", lambda _: None)
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("facestep: settings_invalid: the database is at revision none")


@pytest.mark.usefixtures("folder", "served_models")
def test_missing_models_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("FACESTEP_MODELS_DIR", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("facestep: model_missing: ")
    assert "facestep models fetch" in result.stderr


def test_a_taken_port_is_one_line_before_anything_is_loaded(folder):
    with socket.create_server(("127.0.0.1", folder)):
        result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    assert result.stderr == (
        f"facestep: port_taken: 127.0.0.1:{folder} is in use; stop what runs there or set listen_port\n"
    )


@pytest.fixture
def served_models(models, monkeypatch):
    monkeypatch.setenv("FACESTEP_MODELS_DIR", str(models))


def package_with(folder, edit, name="calibration.json"):
    """A copy of `biometric` by links, of which somebody has edited one file of thresholds."""
    package, source = folder / "edited" / "biometric", Path(biometric.__file__).parent
    edited = package / name
    edited.parent.mkdir(parents=True)
    for path in (*source.iterdir(), *(source / edited.parent.relative_to(package)).iterdir()):
        link = package / path.relative_to(source)
        if link != edited and not link.exists():
            link.symlink_to(path)
    table = json.loads((source / name).read_text())
    edit(table)
    edited.write_text(json.dumps(table))
    return package.parent


def ends_at_once(folder, **environment):
    """Run the command as an admin does; return the one line it ends with."""
    command = [sys.executable, "-m", "plugin.cli", "serve"]
    ran = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
    return ran.stderr.splitlines()[-1]


@pytest.mark.models
@pytest.mark.usefixtures("folder", "served_models")
@pytest.mark.parametrize("name", ["yunet", "sface", "face_mesh", "facenet"])
def test_a_model_with_one_changed_byte_stops_the_start(change_one_byte, monkeypatch, name):
    monkeypatch.setattr(Server, "run", lambda _: pytest.fail("it serves"))
    change_one_byte(name)
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"facestep: model_digest_mismatch: {name}")


@pytest.mark.models
@pytest.mark.usefixtures("folder", "served_models")
def test_the_command_itself_ends_on_a_changed_model(change_one_byte, tmp_path):
    change_one_byte("sface")
    line = ends_at_once(tmp_path, PYTHONPATH=str(Path(biometric.__file__).parents[1]))
    assert line.startswith("facestep: model_digest_mismatch: sface")
    assert "facestep models fetch" in line


def lowered(calibration):
    calibration["fused_threshold"] = -10.0


def for_other_models(calibration):
    calibration["models"]["sface"] = "0" * 64


@pytest.mark.models
@pytest.mark.usefixtures("folder", "served_models")
@pytest.mark.parametrize("edit", [lowered, for_other_models])
def test_the_command_itself_ends_on_edited_thresholds(tmp_path, edit):
    edited = package_with(tmp_path, edit)
    line = ends_at_once(tmp_path, PYTHONPATH=f"{edited}{os.pathsep}{Path(biometric.__file__).parents[1]}")
    assert line.startswith("facestep: calibration_mismatch: ")


def laxer(limits):
    limits["limits"]["colour.relief"]["value"] = 0.06


def of_another_mesh(limits):
    limits["models"]["face_mesh"] = "0" * 64
    limits["id"] = record_digest(limits)


@pytest.mark.models
@pytest.mark.usefixtures("folder", "served_models")
@pytest.mark.parametrize("edit", [laxer, of_another_mesh])
def test_the_command_itself_ends_on_edited_liveness_limits(tmp_path, edit):
    edited = package_with(tmp_path, edit, "weights/liveness.json")
    line = ends_at_once(tmp_path, PYTHONPATH=f"{edited}{os.pathsep}{Path(biometric.__file__).parents[1]}")
    assert line.startswith("facestep: limits_mismatch: ")
    assert "facestep calibrate liveness" in line


@pytest.mark.models
@pytest.mark.usefixtures("folder", "served_models")
def test_a_copy_that_nobody_edited_gets_as_far_as_the_database(tmp_path):
    same = package_with(tmp_path, lambda _: None)
    line = ends_at_once(tmp_path, PYTHONPATH=f"{same}{os.pathsep}{Path(biometric.__file__).parents[1]}")
    assert line.startswith("facestep: settings_invalid: the database is at revision none")


@pytest.mark.models
@pytest.mark.usefixtures("folder")
@pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")
@pytest.mark.parametrize(("hours", "told"), [('"any"', False), (None, True)])
def test_a_start_without_working_hours_says_so(monkeypatch, tmp_path, hours, told):
    policy = tmp_path / "policy.toml"
    policy.write_text("" if hours is None else f"[abuse]\nhours = {hours}\n")
    for name, value in {
        "HELPDESK_ISSUER": "https://sso.example.org/realms/staff",
        "HELPDESK_POLICY_FILE": str(policy),
        "MAIL_SERVER": "smtp://127.0.0.1:25",
        "MAIL_FROM": "facestep@example.org",
    }.items():
        monkeypatch.setenv(f"FACESTEP_{name}", value)
    monkeypatch.setattr(Server, "run", lambda _: None)
    for setup in (["database", "migrate"], ["vault", "install"]):
        assert CliRunner().invoke(main, setup).exit_code == 0
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 0, result.stderr
    assert ("no working hours are named" in result.stderr) is told


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(ServiceError, match="port_refused"):
        check_port("192.0.2.1", 8100)


def test_gunicorns_log_loses_query_strings():
    assert without_queries(("GET", "/authorize?request=secret&x=?", 7)) == ["GET", "/authorize", 7]


@pytest.mark.models
@pytest.mark.servers
def test_the_real_thing_starts_answers_and_stops(folder, tmp_path):
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-m", "plugin.cli"]
    for setup in (["database", "migrate"], ["vault", "install"]):
        subprocess.run([*command, *setup], env=environment, check=True, capture_output=True)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], env=environment, stdout=log, stderr=log)
    try:
        base = f"http://localhost:{folder}"
        assert wait_for(f"{base}/health/ready", process).headers["Server"] == "facestep"
        assert len({requests.get(f"{base}/jwks", timeout=9).content for _ in range(8)}) == 1
        refused = requests.get(f"{base}/authorize?client_id=x&request=hidden-value", timeout=9)
        assert (refused.status_code, refused.headers["Cache-Control"]) == (401, "no-store")
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    log_text = (tmp_path / "log").read_text()
    assert '"route": "/authorize"' in log_text
    assert "hidden-value" not in log_text


def wait_for(url, process):
    for _ in range(300):
        assert process.poll() is None, "it ended"
        try:
            return requests.get(url, timeout=5)
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError("it did not come up")
