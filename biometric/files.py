"""Files that are there whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Write `content` beside `target` and put it in its place at once."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".partial-", delete=False) as partial:
        partial.write(content)
    path = Path(partial.name)
    try:
        path.chmod(0o644)
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)
