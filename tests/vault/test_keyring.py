from __future__ import annotations

import json
import stat
import threading
import warnings

import pytest

from tests.stack.keyring import fresh_keyring
from vault.interface import Context, KeyTooOld, Purpose, VaultError, WrongContext
from vault.keyring import KeyringSealer, create_keyring
from vault.warning import UnsafeDevelopmentWarning

ALICE = Context("https://idp.example", "alice", Purpose.REFERENCE)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keyring.json"
    create_keyring(path)
    return path


def quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsafeDevelopmentWarning)
        return KeyringSealer(path)


def test_opening_it_warns(path):
    with pytest.warns(UnsafeDevelopmentWarning, match="key file"):
        KeyringSealer(path)


def test_the_key_file_is_for_its_owner_only(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o777])
def test_a_key_file_that_others_can_read_is_refused(path, mode):
    path.chmod(mode)
    with pytest.raises(VaultError, match="chmod 600"):
        quietly(path)


def test_a_missing_key_file_is_an_error_and_is_not_made_in_passing(tmp_path):
    path = tmp_path / "keyring.json"
    with pytest.raises(VaultError, match="facestep vault install"):
        quietly(path)
    assert not path.exists()


def test_an_existing_key_file_is_never_replaced(path):
    before = path.read_bytes()
    with pytest.raises(VaultError, match="cannot be made"):
        create_keyring(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "[]",
        lambda content: json.dumps(content)[:-9],
        lambda content: json.dumps(content | {"format": "other"}),
        lambda content: json.dumps(content | {"current": 2}),
        lambda content: json.dumps(content | {"mac_key": "AAAA"}),
        lambda content: json.dumps(content | {"seal_keys": {"1": "????"}}),
        lambda content: json.dumps(content | {"seal_keys": ["1"]}),
        lambda content: json.dumps({name: value for name, value in content.items() if name != "mac_key"}),
    ],
)
def test_a_damaged_key_file_is_one_error(path, damage):
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(VaultError):
        quietly(path)


def test_a_key_file_that_cannot_be_read_is_one_error(tmp_path):
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(VaultError, match="cannot be read"):
        quietly(tmp_path / "folder")


def test_check_notices_that_the_key_file_was_replaced_or_removed(path):
    sealer = quietly(path)
    sealer.check()
    path.unlink()
    with pytest.raises(VaultError):
        sealer.check()
    create_keyring(path)
    with pytest.raises(VaultError, match="replaced"):
        sealer.check()


def test_another_deployment_cannot_open_what_this_one_sealed(path, tmp_path):
    sealed = quietly(path).seal(b"secret", context=ALICE, associated_data=b"")
    (tmp_path / "other").mkdir()
    with pytest.raises(WrongContext):
        fresh_keyring(tmp_path / "other").open(sealed, context=ALICE, associated_data=b"")


def test_a_newer_key_seals_and_the_older_one_still_opens(path):
    sealed = quietly(path).seal(b"secret", context=ALICE, associated_data=b"")
    content = json.loads(path.read_text())
    content["seal_keys"]["2"], content["current"] = content["mac_key"], 2
    path.write_text(json.dumps(content))
    sealer = quietly(path)
    assert sealer.open(sealed, context=ALICE, associated_data=b"") == b"secret"
    assert sealer.seal(b"secret", context=ALICE, associated_data=b"").startswith("keyring:v2:")


def test_a_running_process_follows_a_rotation_of_another(path):
    running, rotating = quietly(path), quietly(path)
    old = running.seal(b"secret", context=ALICE, associated_data=b"")
    rotating.add_version(Purpose.REFERENCE)
    assert running.seal(b"secret", context=ALICE, associated_data=b"").startswith("keyring:v2:")
    assert running.open(old, context=ALICE, associated_data=b"") == b"secret"
    running.check()
    rotating.forget_older(Purpose.REFERENCE, than=2)
    with pytest.raises(KeyTooOld):
        running.open(old, context=ALICE, associated_data=b"")


def test_a_running_process_does_not_follow_a_file_of_somebody_else(path):
    """Else what it seals next could be opened by whoever put the file there."""
    running = quietly(path)
    path.unlink()
    create_keyring(path)
    with pytest.raises(VaultError, match="replaced"):
        running.seal(b"secret", context=ALICE, associated_data=b"")


def test_a_run_that_was_cut_off_while_it_wrote_is_no_obstacle(path):
    path.with_name("keyring.json.new").write_text("half a key fi")
    sealer = quietly(path)
    assert sealer.add_version(Purpose.REFERENCE).newest == 2
    assert sorted(each.name for each in path.parent.iterdir()) == ["keyring.json", "keyring.json.lock"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_rotations_at_once_lose_no_key(path):
    sealers = [quietly(path) for _ in range(4)]
    threads = [threading.Thread(target=sealer.add_version, args=(Purpose.REFERENCE,)) for sealer in sealers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(json.loads(path.read_text())["seal_keys"]) == ["1", "2", "3", "4", "5"]
