"""Two pages to read and to print: what callers should know, and what staff of the helpdesk should do.

Public: they hold nothing about anybody, and whoever has lost a factor cannot log in to read them. The numbers are those
of the policy in force.

Not here: the console (pages/helpdesk.py), the runbook for those who set it up (docs/helpdesk.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, render_template

from plugin.errors import ServiceError
from plugin.web.context import services

if TYPE_CHECKING:
    from plugin.helpdesk.policy import Policy

bp: Final = Blueprint("guides", __name__, url_prefix="/helpdesk")


@bp.get("/for-callers")
def for_callers() -> str:
    """Say how somebody who lost a factor gets back in, and how impostors sound."""
    return render_template("helpdesk/for_callers.html", policy=_policy())


@bp.get("/for-staff")
def for_staff() -> str:
    """Say what an agent does, says and never does; a page for training and for the wall."""
    return render_template("helpdesk/for_staff.html", policy=_policy())


def _policy() -> Policy:
    desk = services().helpdesk
    if desk is None:
        raise ServiceError("not_found")
    return desk.policy
