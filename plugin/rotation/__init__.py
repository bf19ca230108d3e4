"""Which stored values are sealed, and how each is moved to a new version of its key."""
