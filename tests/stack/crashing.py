"""Work in a process of its own that is killed with SIGKILL at a step of the test's choice: nothing is cleaned up.

A step is a statement that writes, a commit, or a file that is put in another's place, in that process. What happens in
between changes nothing that would be kept. The processes are forked from one that has imported all and opened nothing:

    with Crashes("tests.attacks.test_killed_midway") as crashes:
        killed = crashes.at(3, "enrols", folder, url)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Engine, event

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parents[2]
_WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER")


class Crashes:
    """A process that forks one for each piece of work. Arguments are what JSON can hold; folders become text."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stack.crashing", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def at(self, step: int, work: str, *arguments: Any, commits_only: bool = False) -> bool:
        """Let `work` run until its step number `step`; tell whether it was killed there, or had fewer steps.

        With `commits_only` a write is no step.
        """
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(json.dumps([step, commits_only, work, arguments], default=str) + "\n")
        asked.flush()
        ended = int(answered.readline() or 1)
        if ended not in {0, -signal.SIGKILL}:
            raise AssertionError(f"the work failed before step {step}: exit code {ended}")
        return ended != 0


def main() -> None:
    module = import_module(sys.argv[1])
    for line in sys.stdin:
        step, commits_only, work, arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(step, getattr(module, work), arguments, commits_only=commits_only)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(step: int, work: Callable[..., None], arguments: list[Any], *, commits_only: bool) -> None:
    """Do the work and end; an error is printed, and the exit code says that there was one."""
    taken = 0

    def take(*_: Any) -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not commits_only and statement.lstrip().upper().startswith(_WRITES):
            take()

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "commit", take)
    sys.addaudithook(lambda name, _: take() if name == "os.rename" else None)
    ended = 1
    try:
        os.dup2(2, 1)  # the answers have standard output to themselves
        work(*arguments)
        ended = 0
    except Exception:  # noqa: BLE001  (whatever it was is printed)
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(ended)


if __name__ == "__main__":
    main()
