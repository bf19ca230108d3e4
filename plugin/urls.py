"""Small questions about URLs that settings and doors both ask."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback_host(host: str | None) -> bool:
    """Tell whether `host` is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Tell whether `url` points to this machine itself."""
    try:
        return is_loopback_host(urlsplit(url).hostname)
    except ValueError:
        return False


def is_secure(url: str) -> bool:
    """Tell whether `url` is https, or http to this machine itself; a URL with user info or a fragment is neither."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or any(c.isspace() or ord(c) < 32 for c in url):  # noqa: PLR2004
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback_host(host))
