"""The warning of everything in this package that must not guard real people."""


class UnsafeDevelopmentWarning(UserWarning):
    """Something is running that is good enough for development only. An error in our tests unless they expect it."""
