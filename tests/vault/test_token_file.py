from __future__ import annotations

import pytest

from vault.interface import VaultDenied
from vault.token_file import read_token


def token_file(folder, content, mode=0o600):
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_token_is_read_without_its_line_end(tmp_path):
    assert read_token(token_file(tmp_path, b"s.marked\n")) == "s.marked"


def test_the_group_may_read_it_since_an_agent_writes_it_so(tmp_path):
    assert read_token(token_file(tmp_path, b"s.marked", 0o640)) == "s.marked"


def test_a_file_that_everybody_can_read_is_refused(tmp_path):
    with pytest.raises(VaultDenied, match="chmod 600"):
        read_token(token_file(tmp_path, b"s.marked", 0o644))


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfe"])
def test_a_file_without_a_token_is_refused_without_printing_it(tmp_path, content):
    with pytest.raises(VaultDenied) as refused:
        read_token(token_file(tmp_path, content))
    assert "words" not in str(refused.value)


def test_a_missing_file_is_one_error(tmp_path):
    with pytest.raises(VaultDenied, match="cannot be read"):
        read_token(tmp_path / "none")
