"""What a newcomer's machine may lack: each time one clear line that says what to do, and never a success."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import chromium
from tests.stack.errors import StackError
from tests.stack.process import free_port, is_free, require_free

SCRIPTS = Path(__file__).parents[1] / "stack"
NEEDED = ("bash", "dirname", "sed", "mktemp", "rm", "tail", "touch", "cat")


@pytest.fixture
def machine(tmp_path):
    """A checkout and a PATH with nothing on it but the shell's own tools."""
    checkout, tools = tmp_path / "checkout", tmp_path / "bin"
    (checkout / "tests" / "stack").mkdir(parents=True)
    (checkout / "keycloak_extension" / "target").mkdir(parents=True)
    tools.mkdir()
    for name in ("extension.sh", "environment.sh"):
        shutil.copy(SCRIPTS / name, checkout / "tests" / "stack" / name)
    for name in NEEDED:
        (tools / name).symlink_to(shutil.which(name))
    return checkout, tools


def add(tools, name, script):
    (tools / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
    (tools / name).chmod(0o755)


def run(machine, script):
    checkout, tools = machine
    return subprocess.run(
        ["bash", checkout / "tests" / "stack" / script],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def only_line(done):
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("facestep: ")
    return line


def test_no_jdk(machine):
    assert "a JDK of version 17 or later is needed" in only_line(run(machine, "extension.sh"))


def test_an_old_jdk(machine):
    add(machine[1], "javac", "echo javac 11.0.2 >&2")
    assert "the JDK is version 11; 17 or later is needed" in only_line(run(machine, "extension.sh"))


def test_no_maven(machine):
    add(machine[1], "javac", "echo javac 17.0.1")
    assert "Maven is needed" in only_line(run(machine, "extension.sh"))


def test_a_build_without_network(machine):
    add(machine[1], "javac", "echo javac 17.0.1")
    add(machine[1], "mvn", "echo '[ERROR] could not resolve'; exit 1")
    done = run(machine, "extension.sh")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("check the network, then run the same command again")


@pytest.mark.parametrize("found", [None, "exit 1"], ids=["no_python", "python_of_another_version"])
def test_no_python_that_fits(machine, found):
    if found:
        add(machine[1], "python3", found)
    assert "Python 3.11, 3.12 or 3.13 is needed" in only_line(run(machine, "environment.sh"))


def test_packages_that_cannot_be_fetched(machine):
    add(machine[1], "python3", "exit 0")
    python = machine[0] / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    add(python.parent, "python", '[[ "$*" == *"import uv"* || "$*" == *"pip install"* ]] && exit 1; exit 0')
    assert "uv could not be installed" in only_line(run(machine, "environment.sh"))
    add(python.parent, "python", '[[ "$*" == *"pip sync"* ]] && exit 1; exit 0')
    assert "the locked packages could not be installed" in only_line(run(machine, "environment.sh"))


def test_a_taken_port_is_named_with_the_setting_that_changes_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} for Keycloak is taken; choose another with KEYCLOAK_PORT"):
            require_free(port, what="Keycloak", setting="KEYCLOAK_PORT")


def test_chromium_is_found_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    add(tmp_path, "chromium", "exit 0")
    assert chromium.ensure() == str(tmp_path / "chromium")


def test_no_chromium_and_no_way_to_install_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.main() == 1
    assert "apt-get install chromium" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="installs with Debian's apt-get")
def test_chromium_is_installed_from_the_distribution(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "bash").symlink_to(shutil.which("bash", path=os.defpath + ":/usr/bin:/bin"))
    chmod = shutil.which("chmod", path="/usr/bin:/bin")
    program = f"echo '#!/bin/true' > {tmp_path}/chromium; {chmod} +x {tmp_path}/chromium"
    add(tmp_path, "apt-get", f'[[ "$*" == *"install"*chromium* ]] && {{ {program}; }}; exit 0')
    assert chromium.ensure() == str(tmp_path / "chromium")


def test_an_installation_that_fails_says_how(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add(tmp_path, "apt-get", "exit 1")
    with pytest.raises(chromium.ChromiumMissing, match="apt-get install chromium"):
        chromium.ensure()


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_end_it_ends_what_was_started(told):
    program = (
        "import time\n"
        "from tests.stack.process import end_cleanly_when_told\n"
        "end_cleanly_when_told()\n"
        "try:\n    print('ready', flush=True); time.sleep(30)\n"
        "except KeyboardInterrupt:\n    print('ended', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(told)
        assert child.stdout.readline() == "ended\n"
        assert child.wait(timeout=20) == 0


def test_a_free_port_is_none_that_the_system_hands_out_to_connections():
    port = free_port(wide=2)
    assert port + 1 < 32_000
    assert is_free(port)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert not is_free(port)
