"""Matching for several parties: one holds encrypted faces, another the key, and neither can do without the other.

    enroller  ── encrypted reference ──▶  matcher  ── encrypted scores ──▶  key service
    camera    ── encrypted probe ──────▶  (public context, ciphertexts)     (secret key; answers yes or no)

The service's own login does not use it: there one process sees the face before the camera anyway, and a vault guards
what is stored. It is for organisations of which none may read the faces by itself (docs/protection.md).
"""
