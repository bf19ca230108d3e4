"""Working hours of the helpdesk: outside of them whatever is asked for or agreed to is loud.

Not here: where they are written down (policy.py), the alarm (watch.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from plugin.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS: Final = ("hours", "days", "time_zone")
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """From `start` up to `end` on these days (0 is Monday), by the clock of one time zone."""

    start: time
    end: time
    days: frozenset[int]
    zone: ZoneInfo

    def contain(self, moment: datetime) -> bool:
        """Tell whether somebody is expected to work then."""
        local = moment.astimezone(self.zone)
        return local.weekday() in self.days and self.start <= local.time() < self.end


def parse(table: Mapping[str, Any]) -> WorkingHours | None:
    """Return the working hours of a policy, or None where it names none. Raises SettingsError."""
    if not any(key in table for key in KEYS):
        return None
    missing = [key for key in ("hours", "time_zone") if key not in table]
    if missing:
        raise SettingsError(f"helpdesk policy: hours and time_zone go together; {missing[0]} is missing")
    found = _HOURS.fullmatch(str(table["hours"]))
    if found is None:
        raise SettingsError('helpdesk policy: hours must look like "08:00-18:00"')
    start, end = (time(int(found[at]), int(found[at + 1])) for at in (1, 3))
    if start >= end:
        raise SettingsError("helpdesk policy: hours must begin before they end, on the same day")
    days = table.get("days", list(DAYS[:5]))
    if not isinstance(days, list) or not days or any(day not in DAYS for day in days):
        raise SettingsError(f"helpdesk policy: days must be a list of {', '.join(DAYS)}, at least one")
    return WorkingHours(start, end, frozenset(DAYS.index(day) for day in days), _zone(table["time_zone"]))


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError) as exc:
        raise SettingsError(f'helpdesk policy: time_zone={name!r} must be a name like "Europe/Vienna"') from exc
