"""How an entry of the log, or a checkpoint, is written for other systems: one JSON object a line, CEF, RFC 5424 syslog.

Rules:
 * A record is whole: who reads the export can hash it again and follow the chain (docs/operations.md says how).
 * One record is one line of text. Nothing that somebody else chose can end a field or a line, or start a new one.
 * Everything is ASCII but CEF's values; a record has at most some kilobytes, by the limits of events.py.

Sources: CEF, "ArcSight Common Event Format implementation standard" revision 26; RFC 5424. There are no structured
data, which would take an enterprise number of our own; the message is JSON or CEF.

Not here: where records go (receivers.py).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from plugin.store.instants import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.audit.checkpoints import Checkpoint
    from plugin.audit.log import AuditEntryView

_ALERT, _WARNING, _NOTICE, _INFO = 1, 4, 5, 6  # RFC 5424 6.2.1
_FACILITY: Final = 10  # security and authorization messages
_CEF_SEVERITY: Final = {_ALERT: 10, _WARNING: 6, _NOTICE: 4, _INFO: 2}  # 0 to 10
_SEVERITIES: Final = {
    "integrity_failed": _ALERT,
    "locked_out": _WARNING,
    "face_refused": _NOTICE,
    "factor_refused": _NOTICE,
    "request_failed": _WARNING,
    "request_refused": _NOTICE,
    "result_refused": _WARNING,
    "erased": _NOTICE,
    "references_opened": _WARNING,
}
"""Everything else is for information."""
_REFUSALS: Final = frozenset({"integrity_failed", "locked_out", "request_failed"})


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent or exported, in the order of `number`.

    Attributes:
        number: the entry's or the checkpoint's.
        digest: its hash, by which a reader recognises it.
        at: when it was written.
        event: what happened.
        values: everything, as JSON has it.
    """

    number: int
    digest: bytes
    at: datetime
    event: str
    values: dict[str, Any]


def entry_record(entry: AuditEntryView, *, deployment: str) -> Record:
    """Return the record of an entry."""
    values = {"deployment": deployment, **entry.as_json()}
    return Record(entry.seq, entry.entry_hash, entry.at, entry.event, values)


def checkpoint_record(checkpoint: Checkpoint) -> Record:
    """Return the record of a checkpoint, which `facestep audit verify --noted` takes."""
    values = {"event": "audit_checkpoint", **checkpoint.as_json()}
    return Record(checkpoint.number, checkpoint.digest(), checkpoint.at, "audit_checkpoint", values)


def as_jsonl(record: Record) -> str:
    """Return one line of JSON."""
    return json.dumps(record.values, separators=(",", ":"))


def as_cef(record: Record) -> str:
    """Return one line of CEF."""
    values = record.values
    refused = record.event in _REFUSALS or record.event.endswith("refused")
    details = values.get("details", {})
    fields = {
        "rt": to_ms(record.at),
        "externalId": record.number,
        "dvchost": host_of(values["deployment"]),
        "outcome": "failure" if refused else "success",
        "reason": details.get("code") or details.get("check") or "",
        "suid": values.get("subject", ""),
        "cs1Label": "issuer",
        "cs1": values.get("issuer", ""),
        "cs2Label": "ceremony",
        "cs2": values.get("ceremony_id", ""),
        "cs3Label": "stream",
        "cs3": values["stream"],
        "cs4Label": "hash",
        "cs4": record.digest.hex(),
        "cs5Label": "record",
        "cs5": as_jsonl(record),
    }
    severity = _CEF_SEVERITY[_severity(record)]
    name = record.event.replace("_", " ")
    header = ("CEF:0", "Facestep", "facestep", metadata.version("facestep"), record.event, name, str(severity))
    extension = " ".join(f"{key}={_cef_value(str(value))}" for key, value in fields.items() if value != "")
    return "|".join([*(_cef_header(part) for part in header), extension])


def as_syslog(record: Record, message: str) -> bytes:
    """Return one RFC 5424 message around a record that was already written as JSON or CEF."""
    priority = _FACILITY * 8 + _severity(record)
    at = record.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    host = host_of(record.values["deployment"])
    bom = "" if message.isascii() else "\ufeff"
    return f"<{priority}>1 {at} {host} facestep - {_message_id(record.event)} - {bom}{message}".encode()


FORMATS: Final = {"jsonl": as_jsonl, "cef": as_cef}


def host_of(deployment: str) -> str:
    """Return the host of our own issuer URL as a word, port included; "-" (RFC 5424's nil) if it has none."""
    host = deployment.partition("://")[2]
    return host if host and host.isascii() and host.isprintable() and " " not in host else "-"


def _message_id(event: str) -> str:
    """Return the event as RFC 5424 6.2.7 has it; one that somebody edited in the database may be anything."""
    return event if re.fullmatch(r"[!-~]{1,32}", event) else "-"


def _severity(record: Record) -> int:
    return _SEVERITIES.get(record.event, _INFO)


def _cef_header(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("=", "\\=")


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
