"""Single-use, expiring state machines, and the attempt counters. No Flask here."""
