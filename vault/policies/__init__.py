"""The policies we ship as HCL, a file a role, and their names at a vault.

Rules:
 * The files hold for the mount `transit`; for another mount the paths and the policy's name change with it, so that two
   deployments can share a vault.
 * What a role needs and must not be able to do is proven by trying (vault/transit_proof.py).
"""

from __future__ import annotations

from enum import StrEnum
from importlib import resources

from vault.transit_keys import DEFAULT_MOUNT


class Role(StrEnum):
    """Who holds a token."""

    SERVICE = "service"
    ROTATOR = "rotator"
    HELPDESK = "helpdesk"


def policy_name(role: Role, mount: str = DEFAULT_MOUNT) -> str:
    """Return the policy's name; AppRoles have the same."""
    return f"facestep-{role.value}" if mount == DEFAULT_MOUNT else f"facestep-{role.value}-{mount.replace('/', '-')}"


def policy_rules(role: Role, mount: str = DEFAULT_MOUNT) -> str:
    """Return the rules as HCL."""
    rules = resources.files(__name__).joinpath(f"{role.value}.hcl").read_text(encoding="utf-8")
    name, own = f"facestep-{role.value}:", f"{policy_name(role, mount)}:"
    return rules.replace(f'path "{DEFAULT_MOUNT}/', f'path "{mount}/').replace(name, own, 1)
