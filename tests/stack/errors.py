"""What can go wrong while the real servers are started; each is one line that says what to do."""

from __future__ import annotations


class StackError(Exception):
    """A server did not come up. The message is one line for a person."""
