"""A service in a temporary folder for measurements: SQLite, embedded keyring, people enrolled the way people enrol."""

from __future__ import annotations

import resource
import secrets
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyotp

from plugin.ceremonies.types import Purpose, Stage, Subject, VerifiedRequest
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.settings import Environment, Settings, VaultBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from plugin.ceremonies.types import CeremonyView
    from plugin.wiring import Services

ISSUER: Final = "http://localhost/realms/benchmark"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody who has a one-time password."""

    owner: Subject
    secret: str


@contextmanager
def temporary_settings(models_dir: Path) -> Iterator[Settings]:
    """Yield the settings of a service that keeps everything in a folder that goes away."""
    from plugin.store.database import Database
    from vault.keyring import create_keyring

    with tempfile.TemporaryDirectory(prefix="facestep-bench-") as name:
        settings = Settings(
            issuer="http://localhost:8100",
            database_url=f"sqlite:///{name}/facestep.db",
            environment=Environment.DEVELOPMENT,
            vault_backend=VaultBackend.KEYRING,
            keyring_file=Path(name) / "keyring.json",
            models_dir=models_dir,
        ).checked()
        create_keyring(Path(name) / "keyring.json")
        with closing(Database(settings.database_url)) as database:
            database.migrate()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the keyring says that it is not for production; here nothing is real
            yield settings


def begin(services: Services, purpose: Purpose, owner: Subject, *, now: datetime) -> CeremonyView:
    """Begin a ceremony as a door would after a good request."""
    request = VerifiedRequest(
        issuer=owner.issuer,
        subject=owner.subject,
        purpose=purpose,
        redirect_uri=f"{ISSUER}/login-actions/authenticate",
        state=secrets.token_urlsafe(16),
        nonce=secrets.token_urlsafe(16),
        code_challenge=secrets.token_urlsafe(32)[:43],
        acr="facestep",
        display_name=owner.subject,
    )
    new = services.ceremonies.begin(request, now=now)
    return services.ceremonies.load(new.id, new.browser_token, now=now)


def enrol_totp(services: Services, subject: str, *, now: datetime) -> tuple[Enrolled, CeremonyView]:
    """Enrol a one-time password and return its owner, with the ceremony at the recovery codes."""
    owner = Subject(ISSUER, subject)
    code = services.invitation.issue(owner, now=now).code
    view = services.invitation.redeem(begin(services, Purpose.ENROL, owner, now=now), code, now=now)
    view = services.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=now)
    setup = services.totp.begin_setup(view, now=now)
    view = services.totp.confirm_setup(setup.view, pyotp.TOTP(setup.secret).at(now), now=now)
    if view.stage is not Stage.RECOVERY_CODES:
        raise RuntimeError(f"the enrolment stands at {view.stage}")
    return Enrolled(owner, setup.secret), view


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Do the work once and return its CPU seconds (this process, all threads) and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


def summary(runs: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return median, least and most of each measure, and the process's peak memory."""
    names = runs[0].keys()
    table: dict[str, Any] = {name: _spread([run[name] for run in runs]) for name in names}
    return {"runs": len(runs), **table, "peak_rss_mb": peak_rss_mb()}


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def peak_rss_mb() -> float:
    """Return the most memory this process has had resident; the kernel counts in KiB, on macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
