"""Which network a request came from, as the limits count and the audit log names it."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

_SITE = 64
"""Bits of an IPv6 address that a provider gives to one connection (RFC 6177); the rest is the customer's to choose."""


def network_of(address: str) -> str:
    """Return an IPv4 address as it is, an IPv6 address as its /64, and nothing for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), _SITE), strict=False))
