"""Read a token, a secret id or a service account token from its file."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from vault.interface import VaultDenied

if TYPE_CHECKING:
    from pathlib import Path


def read_token(path: Path, *, of: str = "token", by_others: bool = False) -> str:
    """Return what the file holds, on one line.

    Args:
        path: the file.
        of: our word for it, for messages.
        by_others: everybody may read it, as Kubernetes writes it. Else that is refused: it is the key to all keys.

    Raises:
        VaultDenied: it cannot be read, or holds nothing that a header could carry. What it holds is never printed.
    """
    try:
        if not by_others and stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH:
            raise VaultDenied(f"the {of} file {path} can be read by everybody; run `chmod 600 {path}`")
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
        raise VaultDenied(f"the {of} file {path} cannot be read: {reason}") from None  # the cause holds the bytes
    return as_token(text, of=f"the {of} file {path}")


def as_token(text: object, *, of: str) -> str:
    """Return `text` if it can be a token: printable ASCII without a space. Raises VaultDenied, without printing it."""
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable() or " " in text:
        raise VaultDenied(f"{of} does not hold a token")
    return text
