"""`make demo-check`: the demo without a person.

A real Chromium goes through Keycloak's own pages and ours. One line a case: expected and seen; exit status 1 if any
differs.
The faces are simulated (tests/simulator); servers, pages, models and pictures are real.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
import traceback
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from tests.stack.cases import CASES, Case
from tests.stack.chromium import ChromiumMissing, ensure, launch_options
from tests.stack.errors import StackError
from tests.stack.process import end_cleanly_when_told
from tests.stack.stack import Ports, Stack
from tests.stack.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

PICTURES = Path(".run/check")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case showed."""

    case: Case
    seen: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.seen == self.case.expected

    def line(self) -> str:
        mark = "ok  " if self.passed else "FAIL"
        return (
            f"{mark}  {self.case.name}  |  expected: {self.case.expected}  |  seen: {self.seen}  ({self.seconds:.0f} s)"
        )


@contextmanager
def running_world(browser: Browser, *, vault: str) -> Iterator[World]:
    """Yield a world on a stack of its own, on free ports, in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="facestep-check-") as folder,
        Stack(Path(folder) / "stack", vault=vault, ports=Ports.free(), say=_say) as stack,
        closing(World(stack, browser)) as world,
    ):
        yield world


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield the distribution's Chromium, installed where that is possible."""
    ensure()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        yield browser
        browser.close()


def play(world: World, case: Case) -> Outcome:
    """Play one case; whatever breaks is what was seen."""
    began, mark = time.monotonic(), world.mark()
    try:
        seen = case.play(world)
    except (PlaywrightError, StackError, AssertionError, KeyError, IndexError, OSError) as exc:
        traceback.print_exc(file=sys.stderr)
        _photograph(world, case)
        seen = f"{type(exc).__name__}: {str(exc).splitlines()[0] if str(exc) else ''}"
    if seen != case.expected:
        _tell_refusals(world, mark)
    return Outcome(case, seen, time.monotonic() - began)


def _tell_refusals(world: World, mark: int) -> None:
    """Say why the service refused what it refused in a case that went another way than expected."""
    with contextlib.suppress(OSError, StackError):
        for event, details in world.events_since(mark):
            if event.endswith("_refused"):
                _say(f"{event}: {dict(details)}")


def _photograph(world: World, case: Case) -> None:
    """Keep what the browser showed when a case broke."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number, visitor in enumerate(world.visitors, start=1):
        picture = PICTURES / f"{case.name.replace(' ', '-')}-{number}.png"
        with contextlib.suppress(PlaywrightError):
            visitor.page.screenshot(path=picture, full_page=True)
            print(f"the page as it was: {picture} ({visitor.page.url.split('?')[0]})", file=sys.stderr)
    world.close_visitors()


def _say(message: str) -> None:
    print(f"· {message}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vault", choices=("openbao", "local"), default="openbao")
    parser.add_argument("--only", metavar="WORDS", help="play only cases whose name has these words (enrolment always)")
    options = parser.parse_args()
    end_cleanly_when_told()
    try:
        with chromium() as browser, running_world(browser, vault=options.vault) as world:
            outcomes = []
            for case in CASES:
                if options.only and options.only not in case.name and not case.name.startswith("enrol"):
                    continue
                outcomes.append(play(world, case))
                print(outcomes[-1].line(), flush=True)
    except (StackError, ChromiumMissing) as exc:
        print(f"facestep: {exc}", file=sys.stderr)
        return 1
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{len(outcomes) - failed} of {len(outcomes)} cases as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
