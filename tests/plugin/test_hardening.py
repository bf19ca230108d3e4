from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from plugin.errors import ServiceError
from plugin.hardening import forbid_core_dumps

FORBIDS = """
import os, resource, sys
from plugin.hardening import forbid_core_dumps, is_dumpable
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
before = is_dumpable()
forbid_core_dumps()
child = os.fork()
if child == 0:
    os._exit(40 + is_dumpable())  # a worker inherits it
print(before, is_dumpable(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_neither_the_service_nor_its_workers_can_be_dumped():
    """In a process of its own: this one's debugger and coverage shall go on working."""
    done = subprocess.run([sys.executable, "-c", FORBIDS], capture_output=True, text=True, check=True)
    assert done.stdout == "True False 40\n"


def test_a_system_that_does_not_let_us_stops_the_start(monkeypatch):
    def refuses(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuses)
    with pytest.raises(ServiceError, match="core dumps cannot be switched off"):
        forbid_core_dumps()
