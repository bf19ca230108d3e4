"""Working hours of the helpdesk: outside of them whatever is asked for or agreed to is loud.

No hours fit every helpdesk, so none are assumed: a policy that names none is told so at the start of the service, and
`hours = "any"` says that there are none, as at a desk that is manned day and night.

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
ANY: Final = "any"
UNDECIDED: Final = (
    "helpdesk policy: abuse: no working hours are named, so the alarm outside_hours is off; write for example "
    'hours = "08:00-18:00" and time_zone = "Europe/Vienna" under [abuse], or hours = "any" if no hour is unusual'
)
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
    """Return the working hours of a policy, or None where no hour is unusual. Raises SettingsError."""
    if not any(key in table for key in KEYS):
        return None
    if table.get("hours") == ANY:
        if len([key for key in KEYS if key in table]) > 1:
            raise SettingsError('helpdesk policy: hours = "any" stands alone, without days or time_zone')
        return None
    missing = [key for key in ("hours", "time_zone") if key not in table]
    if missing:
        raise SettingsError(f"helpdesk policy: hours and time_zone go together; {missing[0]} is missing")
    found = _HOURS.fullmatch(str(table["hours"]))
    if found is None:
        raise SettingsError('helpdesk policy: hours must look like "08:00-18:00", or be "any"')
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
