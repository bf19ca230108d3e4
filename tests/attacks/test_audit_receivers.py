"""The receivers of the audit log: away, rude, slow, or misled. Nothing is left out; at worst something comes twice."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import update

from plugin.audit import receivers as receivers_module
from plugin.audit.checkpoints import Checkpoints
from plugin.audit.duties import Duties
from plugin.audit.log import AuditLog
from plugin.audit.outbox import CheckpointSource, EntrySource, Outbox, pause
from plugin.audit.receivers import ReceiverAway, SyslogDatagrams, receiver_for
from plugin.errors import SettingsError
from plugin.store.tables import AuditEntry, AuditPosition
from tests.fakes.receivers import HttpListener, SyslogListener
from tests.stack.keyring import fresh_keyring
from tests.stack.process import free_port

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE = "https://facestep.example"


class House:
    """A log with entries, a checkpoint, and an outbox to one receiver."""

    def __init__(self, database, folder, address, **receiver) -> None:
        self.database, self.now = database, START
        self.sealer = fresh_keyring(folder)
        self.log = AuditLog(database)
        self.checkpoints = Checkpoints(database, signer=self.sealer, deployment=HERE)
        self.address = address
        self.receiver = receiver_for(address, form="jsonl", **receiver)
        self.outbox = self.another()

    def another(self):
        """The outbox of another process."""
        sources = (EntrySource(self.log, HERE), CheckpointSource(self.checkpoints, "service"))
        return Outbox(
            self.database,
            sealer=self.sealer,
            sources=sources,
            receivers=[self.receiver],
            audit=self.log,
            clock=lambda: self.now,
        )

    def fill(self, count):
        with self.database.transaction() as session:
            for _ in range(count):
                details = {"factor": "totp"}
                self.log.append("factor_refused", at=START, subject="alice", details=details, session=session)

    def run(self, statement):
        with self.database.transaction() as session:
            session.execute(statement)

    def position(self, source="service"):
        return next(place["sent"] for place in self.outbox.positions() if place["source"] == source)


@pytest.fixture
def http():
    with closing(HttpListener()) as listener:
        yield listener


@pytest.fixture
def house(database, tmp_path, http):
    made = House(database, tmp_path, http.url)
    made.fill(3)
    return made


def numbers(http):
    return [(line["event"] == "audit_checkpoint", line.get("seq")) for line in map(json.loads, http.lines)]


def entries(http):
    return [seq for is_checkpoint, seq in numbers(http) if not is_checkpoint]


def test_entries_and_checkpoints_arrive_in_order_and_once(house, http):
    house.checkpoints.make(now=START)
    assert house.outbox.run_once().sent == 4
    house.fill(2)
    assert house.outbox.run_once().sent == 2
    assert house.outbox.run_once().sent == 0
    assert numbers(http) == [(False, 1), (False, 2), (False, 3), (True, 3), (False, 4), (False, 5)]
    assert all(line["deployment"] == HERE for line in map(json.loads, http.lines))


def test_nothing_to_send_is_found_out_without_a_write(store, house):
    house.outbox.run_once()
    with store.locked():
        assert house.outbox.run_once().sent == 0


def test_a_receiver_that_is_away_gets_everything_later(house, http):
    http.status = 503
    outcome = house.outbox.run_once()
    assert (outcome.sent, "HTTP 503" in outcome.away) == (0, True)
    house.fill(2)
    http.status = 200
    assert house.outbox.run_once().sent == 0  # it waits for its turn
    house.now += timedelta(seconds=1)
    assert house.outbox.run_once().sent == 5
    assert entries(http) == [1, 2, 3, 4, 5]


def test_the_pauses_grow_to_five_minutes_and_are_not_the_same_for_all():
    whole = [pause(failures, chance=lambda most: most - 1) for failures in (1, 2, 3, 9, 10, 5000)]
    assert whole == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 256, 300, 300)]
    assert pause(3, chance=lambda _most: 0) == timedelta(seconds=2)


def test_an_operator_need_not_wait_for_the_pause(house, http):
    http.status = 500
    house.outbox.run_once()
    http.status = 200
    assert house.outbox.run_once(patient=False).sent == 3


def test_a_process_that_died_after_sending_sends_again_and_leaves_nothing_out(house, http, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(house.outbox, "_keep", die)
    with pytest.raises(KeyboardInterrupt):
        house.outbox.run_once()
    other = house.another()
    assert other.run_once().sent == 0  # the dead one's lease still runs
    house.now += timedelta(seconds=61)
    assert other.run_once().sent == 3
    assert entries(http) == [1, 2, 3, 1, 2, 3]


def test_of_two_processes_one_sends_at_a_time(house, http, monkeypatch):
    other = house.another()
    deliver = house.outbox._deliver
    meanwhile = []

    def watched(receiver, batch):
        meanwhile.append(other.run_once().sent)
        return deliver(receiver, batch)

    monkeypatch.setattr(house.outbox, "_deliver", watched)
    house.outbox.run_once()
    assert meanwhile == [0]
    assert entries(http) == [1, 2, 3]


def test_a_long_log_goes_in_batches(house, http, monkeypatch):
    monkeypatch.setattr("plugin.audit.outbox.BATCH", 2)
    house.fill(2)
    assert [house.outbox.run_once().more for _ in range(3)] == [True, True, False]
    assert entries(http) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("change", [{"sent_seq": 5}, {"sent_seq": 5, "sent_hash": bytes(32)}, {"next_try_ms": 2**50}])
def test_a_position_moved_by_somebody_else_keeps_nothing_from_the_receiver(house, http, change, caplog):
    """An attacker who wants an entry not to be seen moves the position past it."""
    caplog.set_level(logging.CRITICAL)
    house.outbox.run_once()
    house.fill(2)
    house.run(update(AuditPosition).values(**change))
    house.outbox.run_once()
    assert set(entries(http)) == {1, 2, 3, 4, 5, 6}
    assert [entry.event for entry in house.log.entries()].count("integrity_failed") == 1
    assert json.loads(http.lines[-1])["event"] == "integrity_failed"


def test_a_position_of_another_receiver_is_not_believed(house, http, database, tmp_path):
    house.outbox.run_once()
    with closing(HttpListener()) as second:
        house.run(update(AuditPosition).values(receiver=second.url))
        house.receiver = receiver_for(second.url, form="jsonl")
        house.another().run_once()
        assert set(entries(second)) >= {1, 2, 3}


def test_a_log_that_was_written_anew_is_sent_again_so_that_the_receiver_sees_it(house, http):
    house.outbox.run_once()
    house.run(update(AuditEntry).where(AuditEntry.seq == 3).values(subject="mallory", entry_hash=bytes(32)))
    house.fill(1)
    house.outbox.run_once()
    assert entries(http) == [1, 2, 3, 1, 2, 3, 4]
    assert [json.loads(line)["subject"] for line in http.lines][5] == "mallory"


def test_the_end_of_a_log_that_was_cut_off_and_grew_again_is_sent(house, http, store):
    house.outbox.run_once()
    store.run("DELETE FROM audit_entries WHERE seq > 1")
    house.fill(1)
    house.outbox.run_once()
    assert entries(http) == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 500])
def test_only_a_success_confirms_and_a_redirect_is_not_followed(house, http, status):
    """A redirect would carry the token to whoever asks for it."""
    with closing(HttpListener()) as elsewhere:
        http.status, http.location = status, elsewhere.url
        assert house.outbox.run_once().away
        assert elsewhere.seen == []
    assert house.position() == 0


def test_the_token_goes_along_and_is_not_printed(http):
    receiver = receiver_for(http.url, form="cef", token="marked-token")
    receiver.send([])
    assert http.seen[0]["Authorization"] == "Bearer marked-token"
    assert "marked-token" not in repr(receiver)


def test_no_environment_sends_the_log_through_a_proxy(http, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    receiver_for(http.url, form="jsonl").send([])


@pytest.fixture
def syslog():
    with closing(SyslogListener()) as listener:
        yield listener


@pytest.fixture
def syslog_house(database, tmp_path, syslog):
    made = House(database, tmp_path, f"syslog+tcp://127.0.0.1:{syslog.port}")
    made.fill(3)
    return made


def test_syslog_over_tcp_counts_octets_and_waits_until_the_receiver_is_done(syslog_house, syslog):
    assert syslog_house.outbox.run_once().sent == 3
    assert [json.loads(message.split(" - ", 2)[2])["seq"] for message in syslog.messages] == [1, 2, 3]


def test_a_syslog_receiver_that_breaks_off_gets_everything_again(syslog_house, syslog):
    """The network took every byte; without the receiver's own end of the connection that proves nothing."""
    syslog_house.fill(1000)
    syslog.rude = True
    assert syslog_house.outbox.run_once().away
    syslog.rude = False
    syslog_house.now += timedelta(seconds=1)
    while syslog_house.outbox.run_once().more:
        pass
    assert len(syslog.messages) == 1003


def test_a_syslog_receiver_that_never_ends_has_not_confirmed(syslog_house, syslog, monkeypatch):
    monkeypatch.setattr(receivers_module, "TIMEOUT_S", 0.3)
    syslog.deaf = True
    assert "TimeoutError" in syslog_house.outbox.run_once().away
    assert syslog_house.position() == 0


def test_nobody_there_is_away(database, tmp_path):
    house = House(database, tmp_path, f"syslog+tcp://127.0.0.1:{free_port()}")
    house.fill(1)
    assert "Refused" in house.outbox.run_once().away


def certificate(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{name}.pem"
    path.write_bytes(key.private_bytes(pem, form, plain) + made.public_bytes(pem))
    return path


def test_syslog_over_tls_goes_to_the_named_receiver_only(database, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mine = certificate(tmp_path, "localhost")
    context.load_cert_chain(mine)
    with closing(SyslogListener(tls=context)) as listener:
        address = f"syslog+tls://localhost:{listener.port}"
        house = House(database, tmp_path, address, ca_file=str(mine))
        house.fill(2)
        assert house.outbox.run_once().sent == 2
        assert len(listener.messages) == 2
        with pytest.raises(ReceiverAway, match="CERTIFICATE_VERIFY_FAILED"):
            receiver_for(address, form="jsonl").send([])
        elsewhere = receiver_for(f"syslog+tls://127.0.0.1:{listener.port}", form="jsonl", ca_file=str(mine))
        with pytest.raises(ReceiverAway, match="CERTIFICATE_VERIFY_FAILED"):
            elsewhere.send([])


def test_udp_sends_one_message_a_datagram_and_notices_only_a_refusal(database, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(2)
        port = listener.getsockname()[1]
        house = House(database, tmp_path, f"syslog+udp://127.0.0.1:{port}")
        house.fill(2)
        assert house.outbox.run_once().sent == 2
        assert [b'"seq":%d' % number in listener.recv(65535) for number in (1, 2)] == [True, True]
    house.fill(2)
    assert house.outbox.run_once().away
    assert isinstance(house.receiver, SyslogDatagrams)


@pytest.mark.parametrize(
    "address",
    [
        "http://logs.example/in",
        "https://user:secret@logs.example/in",
        "syslog+tcp://logs.example:601",
        "syslog+udp://1.1.1.1",
        "syslog+udp://logs.example",
        "syslog+tls://",
        "syslog+tls://logs.example/path",
        "syslog://logs.example",
        "file:///etc/passwd",
        "logs.example",
        "syslog+tcp://10.0.0.1:x",
    ],
)
def test_a_way_that_others_can_read_and_an_address_that_is_none_stop_the_start(address):
    with pytest.raises(SettingsError, match="audit_forward_to"):
        receiver_for(address, form="jsonl")


@pytest.mark.parametrize(
    "address",
    ["https://logs.example/in", "syslog+tls://logs.example", "syslog+tcp://10.1.2.3:601", "syslog+udp://[::1]:514"],
)
def test_what_is_allowed(address):
    assert receiver_for(address, form="cef").name == address


def duties(house, **changed):
    parts = {
        "checkpoints": house.checkpoints,
        "every": timedelta(hours=1),
        "outbox": house.outbox,
        "audit": house.log,
        "clock": lambda: house.now,
    }
    return Duties(**parts | changed)


def test_checkpoints_are_signed_when_they_are_due(house):
    """The interval is an hour here; a tenth of it may pass until somebody looks."""
    service = duties(house)
    for minutes, expected in ((0, 1), (59, 1), (66, 2), (67, 2)):
        house.now = START + timedelta(minutes=minutes)
        house.fill(1)
        service.do_what_is_due()
        assert house.checkpoints.newest().number == expected


def test_a_changed_log_is_not_signed_and_the_receiver_is_told(house, http, caplog):
    caplog.set_level(logging.CRITICAL + 1)
    service = duties(house)
    service.do_what_is_due()
    house.fill(2)
    house.run(update(AuditEntry).where(AuditEntry.seq == 4).values(subject="mallory"))
    house.now += timedelta(hours=2)
    service.do_what_is_due()
    assert house.checkpoints.newest().seq == 3
    told = json.loads(http.lines[-1])
    assert (told["event"], told["details"]) == (
        "integrity_failed",
        {"check": "edited", "entry": 4, "table": "audit_entries"},
    )
    house.now += timedelta(minutes=59)
    service.do_what_is_due()
    assert [json.loads(line)["event"] for line in http.lines].count("integrity_failed") == 1


def test_a_failure_of_one_duty_stops_neither_the_other_nor_the_thread(house, http, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL + 1)

    def fail(**_):
        raise ZeroDivisionError

    monkeypatch.setattr("plugin.audit.duties.TICK_S", 0.02)
    monkeypatch.setattr(house.checkpoints, "make", fail)
    service = duties(house)
    service.start()
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while len(http.lines) < 3 and datetime.now(UTC) < deadline:
        time.sleep(0.02)
    service.stop()
    assert entries(http) == [1, 2, 3]
