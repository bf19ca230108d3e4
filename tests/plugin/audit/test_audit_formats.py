from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import UTC, datetime

import pytest

from plugin.audit.export import export, resume
from plugin.audit.formats import as_cef, as_jsonl, as_syslog, entry_record, host_of
from plugin.audit.log import AuditEntryView, AuditLog
from plugin.errors import ServiceError
from vault.encoding import canonical

NOW = datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)
HERE = "https://facestep.example:8443"


def record(**changed):
    values = {
        "stream": "service",
        "seq": 7,
        "at": NOW,
        "event": "face_refused",
        "issuer": "https://idp.example/realms/a",
        "subject": "alice",
        "ceremony_id": "c",
        "details": {"code": "face_rejected", "denied_by": ["planarity"], "fused_score": 1.25},
        "previous_hash": bytes(32),
        "entry_hash": bytes(range(32)),
    }
    return entry_record(AuditEntryView(**values | changed), deployment=HERE)


HOSTILE = 'a|b=c\\d "e" x=y externalId=1 \u2028\n<13>1 - forged'


def test_the_hash_in_an_export_is_that_of_its_line(database):
    """An auditor with the export alone can hash every entry again."""
    log = AuditLog(database)
    log.append("face_refused", at=NOW, issuer="i", subject="s", details={"fused_score": 0.1, "attempt": 2})
    out = io.BytesIO()
    export(log, out, deployment=HERE, form="jsonl")
    line = json.loads(out.getvalue())
    columns = {name: line[name] for name in ("stream", "seq", "event", "issuer", "subject", "ceremony_id")}
    columns["at_ms"] = round(datetime.fromisoformat(line["at"]).timestamp() * 1000)
    columns["details"] = json.dumps(line["details"], sort_keys=True, separators=(",", ":"))
    columns["previous_hash"] = bytes.fromhex(line["previous"])
    assert hashlib.sha256(canonical("facestep audit 1", columns)).hexdigest() == line["hash"]


def test_cef_is_as_its_standard_says():
    line = as_cef(record())
    header, extension = line.split("|")[:7], line.split("|", 7)[7]
    assert header[:3] == ["CEF:0", "Facestep", "facestep"]
    assert header[4:] == ["face_refused", "face refused", "4"]
    found = dict(re.findall(r"(\w+)=((?:\\.|[^=\\])*?)(?= \w+=|$)", extension))
    assert found["rt"] == "1767268800123"
    assert (found["externalId"], found["outcome"], found["reason"]) == ("7", "failure", "face_rejected")
    assert (found["suid"], found["cs1"], found["dvchost"]) == ("alice", "https://idp.example/realms/a", HERE[8:])
    assert json.loads(found["cs5"].replace("\\=", "=").replace("\\\\", "\\")) == json.loads(as_jsonl(record()))


@pytest.mark.parametrize("event", ["integrity_failed", "locked_out", "result_refused"])
def test_what_is_worse_is_more_severe(event):
    assert int(as_cef(record(event=event)).split("|")[6]) > int(as_cef(record()).split("|")[6])


@pytest.mark.parametrize("field", ["subject", "issuer", "ceremony_id", "event"])
def test_nothing_that_somebody_chose_ends_a_field_or_a_line(field):
    hostile = record(**{field: HOSTILE})
    for line in (as_cef(hostile), as_jsonl(hostile)):
        assert len(line.splitlines()) == 1
    cef = as_cef(hostile)
    header = re.split(r"(?<!\\)\|", cef, maxsplit=7)
    assert (header[0], header[6], len(header)) == ("CEF:0", "4" if field != "event" else "2", 8)
    assert len(re.findall(r" externalId=", header[7])) == 1
    message = as_syslog(hostile, as_jsonl(hostile)).decode()
    assert len(message.splitlines()) == 1
    assert re.match(r"<8[56]>1 \S+ facestep\.example:8443 facestep - (face_refused|-) - \{", message)


def test_a_syslog_message_is_as_rfc_5424_says():
    message = as_syslog(record(), as_jsonl(record())).decode()
    head, _, body = message.partition(" - {")
    assert head == "<85>1 2026-01-01T12:00:00.123Z facestep.example:8443 facestep - face_refused"
    assert json.loads("{" + body)["seq"] == 7
    assert as_syslog(record(), "ä").decode().endswith(" - \ufeffä")


@pytest.mark.parametrize("deployment", ["", "facestep", "https://a b", "https://ä.example", "https://a\nb"])
def test_a_host_that_is_no_word_is_left_out(deployment):
    assert host_of(deployment) == "-"


def fill(log, count):
    for number in range(count):
        log.append("factor_refused", at=NOW, subject=f"person-{number}", details={"factor": "totp"})


@pytest.mark.parametrize("form", ["jsonl", "cef"])
def test_an_export_goes_on_where_the_last_one_ended(database, tmp_path, form, monkeypatch):
    monkeypatch.setattr("plugin.audit.export.PAGE", 2)
    log, path = AuditLog(database), tmp_path / "out"
    assert resume(path, form=form) == 0
    for total in (5, 7):
        fill(log, total - (5 if total == 7 else 0))
        after = resume(path, form=form)
        with path.open("ab") as out:
            assert export(log, out, deployment=HERE, form=form, after=after) == total
    lines = path.read_text().splitlines()
    assert len(lines) == 7
    assert resume(path, form=form) == 7


@pytest.mark.parametrize("form", ["jsonl", "cef"])
@pytest.mark.parametrize("cut", [1, 50, 10**6])
def test_a_file_that_was_cut_in_a_line_is_mended(database, tmp_path, form, cut):
    log, path = AuditLog(database), tmp_path / "out"
    fill(log, 3)
    with path.open("wb") as out:
        export(log, out, deployment=HERE, form=form)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    after = resume(path, form=form)
    assert after == (2 if cut < 100 else 0)
    with path.open("ab") as out:
        export(log, out, deployment=HERE, form=form, after=after)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"something else\n", b'{"seq": "7"}\n', b"[]\n", b"\n"])
@pytest.mark.parametrize("form", ["jsonl", "cef"])
def test_a_file_that_is_no_export_is_left_alone(tmp_path, content, form):
    path = tmp_path / "out"
    path.write_bytes(content + b"and half a line")
    with pytest.raises(ServiceError, match="export_unreadable"):
        resume(path, form=form)
    assert path.read_bytes() == content + b"and half a line"


def test_an_entry_that_was_edited_beyond_reading_is_exported_as_it_stands(store, database):
    log = AuditLog(database)
    fill(log, 3)
    store.run("UPDATE audit_entries SET details = '{\"half' WHERE seq = 2")
    out = io.BytesIO()
    assert export(log, out, deployment=HERE, form="jsonl") == 3
    assert json.loads(out.getvalue().splitlines()[1])["details"] == {"unreadable": '{"half'}
