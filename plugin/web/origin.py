"""Our own origin, as browsers write it."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_origin(issuer: str) -> str:
    """Return the origin of our issuer URL as browsers write it: no default port, lower case."""
    parts = urlsplit(issuer)
    default = {"http": 80, "https": 443}[parts.scheme]
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" if parts.port in {None, default} else f"{parts.scheme}://{host}:{parts.port}"
