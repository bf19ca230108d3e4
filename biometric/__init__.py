"""Pixels in, verdicts and vectors out. No storage, no network, no secrets, none of our other packages."""
