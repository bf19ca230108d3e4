"""The hash-chained log of what was decided."""
