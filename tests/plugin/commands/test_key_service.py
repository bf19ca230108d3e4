"""The key service as a process of its own, and the commands around it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import requests
from click.testing import CliRunner

from plugin.cli import main
from plugin.encrypted.matcher import Matcher, encrypt_face
from plugin.errors import ServiceError
from tests.plugin.encrypted.parties import face
from tests.plugin.factors.scripted import calibration
from tests.stack.process import free_port
from vault.he import PublicContext


def run(*words):
    return CliRunner().invoke(main, ["key-service", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as `init` makes it, with thresholds of the made-up faces and one caller."""
    base = tmp_path_factory.mktemp("keys")
    made = calibration()
    thresholds = base / "thresholds.json"
    table = made._table()
    table["id"] = made.digest()
    thresholds.write_text(json.dumps(table))
    assert run("init", base / "keys", "--calibration", thresholds).exit_code == 0
    assert run("add-caller", base / "keys", "matcher-a", "--token-file", base / "token").exit_code == 0
    return base


@contextmanager
def serving(folder, *more, health, scheme="http"):
    """Run the key service until the block ends; yield its address and process id."""
    port = free_port()
    words = [sys.executable, "-m", "plugin.cli", "key-service", "serve", str(folder / "keys"), *map(str, more)]
    process = subprocess.Popen([*words, "--listen", f"127.0.0.1:{port}"], stderr=subprocess.PIPE, text=True)
    url = f"{scheme}://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.get(url + "/health", timeout=5, **health).ok:
                break
        except requests.RequestException:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
    yield url, process.pid
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    process.stderr.close()


@pytest.fixture(scope="module")
def service(folder):
    with serving(folder, health={}) as found:
        yield found


@pytest.fixture
def matcher(folder, service):
    context = PublicContext((folder / "keys" / "public.ckks").read_bytes())
    token = (folder / "token").read_text().strip()
    return Matcher(context=context, service_url=service[0], token=token), context


def fitting(folder):
    """The calibration that the folder's thresholds are of."""
    return calibration().__class__.from_json((folder / "keys" / "calibration.json").read_text())


def test_files_of_the_key_service_are_its_owners_only(folder):
    for name in ("secret.ckks", "callers.json", "key-service.db"):
        assert stat.S_IMODE((folder / "keys" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    assert (folder / "token").read_text().strip() not in (folder / "keys" / "callers.json").read_text()


def test_a_matcher_and_a_key_service_in_two_processes_decide(folder, matcher, service):
    asks, context = matcher
    alice, again, bob = (
        encrypt_face(seen, context=context, calibration=fitting(folder)) for seen in (face(1), face(1, 1), face(2))
    )
    assert asks.match(alice, again, record="alice")
    assert not asks.match(alice, bob, record="alice")
    assert service[1] != os.getpid()


def test_the_service_itself_refuses_a_stranger(folder, matcher, service):
    _, context = matcher
    stranger = Matcher(context=context, service_url=service[0], token="wrong")
    alice = encrypt_face(face(1), context=context, calibration=fitting(folder))
    with pytest.raises(ServiceError, match="caller_unknown"):
        stranger.match(alice, alice, record="alice")


def test_a_service_that_is_away_is_no_answer(folder, matcher):
    _, context = matcher
    away = Matcher(context=context, service_url=f"http://127.0.0.1:{free_port()}", token="t")
    alice = encrypt_face(face(1), context=context, calibration=fitting(folder))
    with pytest.raises(ServiceError, match="key_service_away"):
        away.match(alice, alice, record="alice")


def test_faces_of_other_models_are_not_compared(folder, matcher):
    asks, context = matcher
    alice = encrypt_face(face(1), context=context, calibration=fitting(folder))
    other = encrypt_face(face(1), context=context, calibration=calibration("another framing"))
    with pytest.raises(ServiceError, match="encrypted_face"):
        asks.match(alice, other, record="alice")


def test_match_says_it_by_its_exit_status(folder, matcher, service, tmp_path):
    _, context = matcher
    for name, seen in {"alice": face(1), "again": face(1, 1), "bob": face(2)}.items():
        made = encrypt_face(seen, context=context, calibration=fitting(folder))
        (tmp_path / f"{name}.face").write_bytes(made.to_bytes())
    rest = ["--public", folder / "keys" / "public.ckks", "--service", service[0], "--record", "alice-2"]
    rest += ["--token-file", folder / "token"]

    def says(*faces):
        words = ["encrypted", "match", *(tmp_path / f"{name}.face" for name in faces), *rest]
        done = CliRunner().invoke(main, list(map(str, words)))
        return done.exit_code, done.output

    assert says("alice", "again") == (0, "the same person\n")
    assert says("alice", "bob") == (1, "not the same person\n")
    assert says("alice", "nobody")[0] == 2


def test_a_certificate_without_its_key_is_refused_not_left_out(folder):
    words = ["encrypted", "match", "a", "b", "--token-file", folder / "token", "--record", "x", "--tls-cert", __file__]
    done = CliRunner().invoke(main, list(map(str, words)))
    assert (done.exit_code, "belong together" in done.output) == (2, True)


def test_keys_are_never_overwritten(folder):
    before = (folder / "keys" / "secret.ckks").read_bytes()
    assert run("init", folder / "keys").exit_code == 2
    assert (folder / "keys" / "secret.ckks").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listen", "0.0.0.0:8300"), "off loopback this needs"),
        (("--listen", "8300"), "HOST:PORT"),
        (("--tls-cert", __file__), "belong together"),
        (("--tls-cert", "none.pem"), "does not exist"),
        (("--tls-cert", __file__, "--tls-key", __file__, "--client-ca", __file__), "do not fit together"),
    ],
)
def test_it_does_not_listen_to_the_world_without_client_certificates(folder, words, said):
    result = run("serve", folder / "keys", *words)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("calibration.json", lambda text: text.replace(b"5.0", b"1.0"), "was edited"),
        ("callers.json", lambda _: b"[]x", "is damaged"),
        ("secret.ckks", lambda text: text[:1000], "no context of ours"),
    ],
)
def test_a_damaged_folder_does_not_start(folder, tmp_path, name, content, said):
    copy = tmp_path / "keys"
    copy.mkdir()
    for path in (folder / "keys").iterdir():
        (copy / path.name).write_bytes(path.read_bytes() if path.name != name else content(path.read_bytes()))
        (copy / path.name).chmod(0o600)
    result = run("serve", copy, "--listen", f"127.0.0.1:{free_port()}")
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_a_caller_has_a_plain_name_and_a_new_file(folder, tmp_path):
    assert run("add-caller", folder / "keys", "../x", "--token-file", tmp_path / "t").exit_code == 2
    (tmp_path / "there").touch()
    assert run("add-caller", folder / "keys", "b", "--token-file", tmp_path / "there").exit_code == 2
    assert "b" not in json.loads((folder / "keys" / "callers.json").read_text())
