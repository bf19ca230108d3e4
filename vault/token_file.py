"""Read the vault token from its file."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from vault.interface import VaultDenied

if TYPE_CHECKING:
    from pathlib import Path


def read_token(path: Path) -> str:
    """Return the token. A file that everybody can read is refused: it is the key to all keys."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH:
            raise VaultDenied(f"the token file {path} can be read by everybody; run `chmod 600 {path}`")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
        raise VaultDenied(f"the token file {path} cannot be read: {reason}") from exc
    if not token or not token.isprintable() or " " in token:
        raise VaultDenied(f"the token file {path} does not hold a token")
    return token
