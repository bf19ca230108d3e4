"""One-time codes a second over HTTP, ours and privacyIDEA's /validate/check, in one run on the same machine.

    .venv/bin/python -m benchmarks.second_factor [--rounds 3] [--threads 1] [--json OUT]

Both run two gunicorn workers on loopback with SQLite and keys in a local file, one thread a worker unless ours is told
otherwise. Each user sends one right code once, so every answer is a success that writes (ours: counter, code step,
ceremony, audit; theirs: counter, audit). The client is the same plain http.client loop with four threads. Ours has four
times the users, so that both are measured for seconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pyotp

from benchmarks.privacyidea_peer import PrivacyIdea, base32
from plugin.ceremonies.types import Purpose, Subject, VerifiedRequest
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.settings import Settings
from plugin.web.cookies import cookie_name
from plugin.wiring import Services, build_services, utc_now
from tests.stack.process import free_port
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

THREADS = 4
WORKERS = 2
OURS = 4
ISSUER = "http://localhost:1/realms/benchmark"
STEP_S = 30


@dataclass(frozen=True, slots=True)
class Call:
    """One request, made ready before the clock starts."""

    path: str
    body: bytes
    headers: dict[str, str]


def measure(port: int, calls: Sequence[Call], accepted: Callable[[int, bytes], bool]) -> dict[str, float]:
    """Send every call once from THREADS threads and return calls a second; a refusal stops the benchmark."""
    local = threading.local()

    def send(call: Call) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        local.connection.request("POST", call.path, call.body, call.headers)
        answer = local.connection.getresponse()
        body = answer.read()
        if not accepted(answer.status, body):
            raise SystemExit(f"a right code was refused: {answer.status} {body[:200]!r}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, calls[:THREADS]))  # connections, caches
        began = time.perf_counter()
        list(pool.map(send, calls[THREADS:]))
        seconds = time.perf_counter() - began
    return {"calls": len(calls) - THREADS, "seconds": seconds, "per_second": (len(calls) - THREADS) / seconds}


def request(purpose: Purpose, subject: str) -> VerifiedRequest:
    return VerifiedRequest(
        issuer=ISSUER,
        subject=subject,
        purpose=purpose,
        redirect_uri=f"{ISSUER}/login-actions/authenticate",
        state=secrets.token_urlsafe(16),
        nonce=secrets.token_urlsafe(16),
        code_challenge=secrets.token_urlsafe(32)[:43],
        acr="facestep",
        display_name=subject,
    )


def enrolled_secret(services: Services, subject: str) -> str:
    """Enrol a one-time password as a person would, up to its confirmation, and return the secret."""
    now = utc_now()
    code = services.invitation.issue(Subject(ISSUER, subject), now=now).code
    new = services.ceremonies.begin(request(Purpose.ENROL, subject), now=now)
    view = services.ceremonies.load(new.id, new.browser_token, now=now)
    view = services.invitation.redeem(view, code, now=now)
    view = services.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=now)
    setup = services.totp.begin_setup(view, now=now)
    services.totp.confirm_setup(setup.view, pyotp.TOTP(setup.secret).at(now), now=now)
    return setup.secret


def login_call(services: Services, service: Service, number: int, subject: str, secret: str) -> Call:
    """Begin a login and return the request that proves its second factor."""
    new = services.ceremonies.begin(request(Purpose.LOGIN, subject), now=utc_now())
    body = json.dumps({"code": pyotp.TOTP(secret).now()}).encode()
    headers = {
        "Host": f"localhost:{service.port}",
        "Content-Type": "application/json",
        "Origin": service.url,
        "X-Facestep": "1",
        "Cookie": f"{cookie_name(new.id)}={new.browser_token}",
        "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
    }
    return Call(f"/api/ceremony/{new.id}/totp/verify", body, headers)


def facestep_rate(folder: Path, users: int, *, threads: int) -> dict[str, float]:
    keyring = {"vault_backend": "keyring", "keyring_file": folder / "keyring.json"}
    service = Service(
        folder, port=free_port(), settings={**keyring, "workers": WORKERS, "threads": threads, "trusted_proxies": 1}
    )
    service.configure()
    service.command("vault", "install")
    services = build_services(Settings.load({"FACESTEP_CONFIG": str(service.config)}))
    secrets_of = {f"user-{number}": enrolled_secret(services, f"user-{number}") for number in range(users)}
    service.start()
    try:
        _wait_for_a_fresh_step()
        calls = [
            login_call(services, service, number, subject, secret)
            for number, (subject, secret) in enumerate(secrets_of.items())
        ]
        return measure(service.port, calls, lambda status, _: status == http.HTTPStatus.OK)
    finally:
        service.stop()


def privacyidea_rate(folder: Path, users: int) -> dict[str, float]:
    peer = PrivacyIdea(folder, workers=WORKERS)
    peer.install()
    tokens = [(f"T{number:04d}", secrets.token_bytes(20)) for number in range(users)]
    peer.configure(tokens)
    peer.start()
    try:
        _wait_for_a_fresh_step()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        calls = [
            Call(
                "/validate/check",
                urlencode({"serial": serial, "pass": pyotp.TOTP(base32(secret)).now()}).encode(),
                headers,
            )
            for serial, secret in tokens
        ]
        return measure(peer.port, calls, lambda _, body: json.loads(body)["result"].get("value") is True)
    finally:
        peer.stop()


def _wait_for_a_fresh_step() -> None:
    """Codes are made once and good for a step and the next: begin at the start of one."""
    time.sleep(STEP_S - time.time() % STEP_S + 0.5)


def one_round(users: int, *, threads: int) -> dict[str, float]:
    """Measure theirs, then ours, right after each other."""
    with tempfile.TemporaryDirectory(prefix="facestep-bench-") as name:
        theirs = privacyidea_rate(Path(name) / "peer", users)["per_second"]
        ours = facestep_rate(Path(name) / "facestep", OURS * users, threads=threads)["per_second"]
    print(f"Facestep {ours:.0f}/s, privacyIDEA {theirs:.1f}/s: {ours / theirs:.1f} times", flush=True)
    return {"facestep": ours, "privacyidea": theirs, "ratio": ours / theirs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=300, help="of privacyIDEA, in each round")
    parser.add_argument("--threads", type=int, default=1, help="of each of our workers")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts: machines are noisy")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rounds = [one_round(options.users, threads=options.threads) for _ in range(options.rounds)]
    median = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    result = {"threads": options.threads, "rounds": rounds, **median}
    print(f"median of {options.rounds}: {median['ratio']:.1f} times ({options.threads} threads a worker)")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
