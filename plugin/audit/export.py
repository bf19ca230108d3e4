"""Write the log to a file or to standard output, as one line an entry, and go on where an earlier export ended.

Rules:
 * Entries come in order, none left out; the last number written is where the next export begins.
 * A file that was cut in the middle of a line (a full disk, a kill) is mended: the broken line is written again.
 * What somebody edited into the log is exported as it stands; finding it is `verify`'s.

Not here: the formats (formats.py), sending (outbox.py).
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Final

from plugin.audit.formats import FORMATS, entry_record
from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from plugin.audit.log import AuditLog

PAGE: Final = 1000
_CEF_NUMBER: Final = re.compile(r" externalId=([0-9]{1,19}) ")
_LONGEST_LINE: Final = 1_000_000  # bytes; a record has some kilobytes


def export(
    log: AuditLog,
    out: IO[bytes],
    *,
    deployment: str,
    form: str,
    after: int = 0,
    report: Callable[[int], None] = lambda _seq: None,
) -> int:
    """Write every entry with a higher number than `after`; return the last number that was written, or `after`."""
    write = FORMATS[form]
    while entries := log.entries(after=after, limit=PAGE, as_stored=True):
        for entry in entries:
            out.write((write(entry_record(entry, deployment=deployment)) + "\n").encode())
        after = entries[-1].seq
        report(after)
    return after


def resume(path: Path, *, form: str) -> int:
    """Return the number of the last entry in an earlier export, after taking a broken line off its end; 0 if none.

    Raises:
        ServiceError: "export_unreadable" if the file is no export of this form.
    """
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        end = _end_of_last_line(file)
        if end == 0:
            file.truncate(0)
            return 0
        number = _number(_line_before(file, end), form)
        if number is None:
            raise ServiceError("export_unreadable", f"{path} is no {form} export; name another file")
        file.truncate(end)
        file.flush()
        os.fsync(file.fileno())
    return number


def _end_of_last_line(file: IO[bytes]) -> int:
    """Return the position behind the last line break, 0 if there is none within reach."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _LONGEST_LINE)
    file.seek(start)
    found = file.read().rfind(b"\n")
    if found < 0 and start > 0:
        raise ServiceError("export_unreadable", "the file has a line that no export writes; name another file")
    return start + found + 1 if found >= 0 else 0


def _line_before(file: IO[bytes], end: int) -> str:
    start = max(0, end - _LONGEST_LINE)
    file.seek(start)
    return file.read(end - start)[:-1].rpartition(b"\n")[2].decode("utf-8", "replace")


def _number(line: str, form: str) -> int | None:
    if form == "cef":
        found = _CEF_NUMBER.search(line)
        return int(found[1]) if found and line.startswith("CEF:0|Facestep|") else None
    try:
        number = json.loads(line)["seq"]
    except (ValueError, KeyError, TypeError):
        return None
    return number if type(number) is int else None
