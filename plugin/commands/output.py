"""How commands fail: one line on stderr, `facestep: <code>: <sentence>; <what to do>`, exit status 2."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

from biometric.errors import BiometricError
from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_CANNOT = 2


def fail(code: str, sentence: str, remedy: str = "") -> NoReturn:
    """Say what went wrong and end with status 2."""
    click.echo(f"facestep: {code}: {sentence}" + (f"; {remedy}" if remedy else ""), err=True)
    sys.exit(EXIT_CANNOT)


@contextmanager
def stating_errors(remedy: str = "") -> Iterator[None]:
    """Turn the errors of our packages into the one line."""
    try:
        yield
    except (BiometricError, ServiceError) as exc:
        fail(exc.code, str(exc), remedy)
