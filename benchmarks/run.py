"""Speed goals, measured in one run; prints a table and writes it as JSON.

    make bench        (about five minutes on an idle machine; busy machines give worse figures)

The goal beside other recognisers has a command of its own, since it needs pictures: benchmarks.peers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.stack.process import free_port
from tests.stack.service import FACESTEP, Service

OUT = Path(".run/benchmarks.json")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024


def bench(part: str, folder: Path) -> dict:
    out = folder / f"{part}.json"
    subprocess.run([*FACESTEP, "bench", part, "--json", str(out)], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


def second_factor(folder: Path) -> dict:
    out = folder / "second.json"
    subprocess.run([sys.executable, "-m", "benchmarks.second_factor", "--json", str(out)], check=True)
    return json.loads(out.read_text())


def start_and_memory(folder: Path) -> dict:
    """Time from `facestep serve` to a ready answer, and what each worker keeps resident after that."""
    service = Service(
        folder / "service",
        port=free_port(),
        settings={"vault_backend": "keyring", "keyring_file": folder / "service" / "keyring.json"},
    )
    service.configure()
    service.command("vault", "install")
    began = time.perf_counter()
    service.start()
    seconds = time.perf_counter() - began
    try:
        return {"start_s": seconds, "worker_mb": max(resident_mb(pid) for pid in children_of(service.pid))}
    finally:
        service.stop()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KB / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=OUT, help=f"where the figures go; {OUT} unless said otherwise")
    out = parser.parse_args().json
    console = Console()
    with tempfile.TemporaryDirectory(prefix="facestep-bench-") as name:
        folder = Path(name)
        face, factor, login = (bench(part, folder) for part in ("face", "factor", "login"))
        running = start_and_memory(folder)
        second = second_factor(folder)
    rows = [
        ("face part of one login, 60 frames, CPU seconds", face["cpu_s"]["median"], "at most", 0.4),
        ("verdict after the last frame, ms", face["verdict_ms"]["median"], "at most", 150),
        ("worker resident after start, MB", running["worker_mb"], "at most", 400),
        ("peak of a process that logs people in, MB", login["peak_rss_mb"], "at most", 400),
        ("service start to ready, s", running["start_s"], "at most", 3),
        ("second factor, times privacyIDEA's rate", second["ratio"], "at least", 10),
        ("one-time code verified, CPU ms (no goal)", 1000 * factor["cpu_s"]["median"], "", None),
        ("face part at 15 frames a second, CPU seconds (no goal)", face["fluent"]["cpu_s"]["median"], "", None),
        ("whole login, 60 frames, CPU seconds (no goal)", login["cpu_s"]["median"], "", None),
        ("whole login, 15 frames a second, CPU seconds (no goal)", login["fluent"]["cpu_s"]["median"], "", None),
    ]
    table = Table("what", "measured", "goal", "")
    for what, value, direction, goal in rows:
        met = "" if goal is None else ("met" if (value <= goal) == (direction == "at most") else "MISSED")
        table.add_row(what, f"{value:.3g}", f"{direction} {goal}" if goal is not None else "", met)
    console.print(table)
    console.print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    out.parent.mkdir(exist_ok=True)
    parts = {"face": face, "factor": factor, "login": login, "service": running, "second_factor": second}
    out.write_text(json.dumps(parts, indent=2) + "\n")


if __name__ == "__main__":
    main()
