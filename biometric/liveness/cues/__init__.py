"""One file per cue. A cue reads the evidence and says deny, confirm or neutral; fusion.py decides."""
