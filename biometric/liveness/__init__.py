"""Liveness: the challenge, one file per cue, and the fusion of cues into deny or confirm."""
