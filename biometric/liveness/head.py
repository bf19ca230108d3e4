"""An average head, as numbers: which mesh points stand where, and how far each piece of skin stands out.

Measured as the mean, made symmetric, over the 44 neutral pictures of the Face Research Lab London Set (doi
10.6084/m9.figshare.5047666). Units are outer-eye distances; x to the right of the picture, y down, depth towards the
camera; the origin is the middle between the outer eye corners.

Rule: these are constants. The depth that the mesh net reports for a picture is never used, since it invents the same
relief for a photo of a face (FIELD 2.0, trap 6). What a picture contributes is where its own pixels moved
(tracking.py).
"""

from __future__ import annotations

from typing import Final

import numpy as np

# Points that stay where they are when a face smiles, talks or blinks; the head's rotation is fitted to these.
_RIGID: Final[dict[int, tuple[float, float, float]]] = {
    33: (-0.500, 0.000, 0.000),
    133: (-0.194, 0.013, 0.060),
    362: (0.194, 0.013, 0.060),
    263: (0.500, 0.000, 0.000),
    168: (0.000, -0.064, 0.243),
    6: (0.000, 0.014, 0.295),
    195: (0.000, 0.160, 0.417),
    5: (0.000, 0.236, 0.483),
    4: (0.000, 0.331, 0.513),
    98: (-0.177, 0.472, 0.235),
    327: (0.177, 0.472, 0.235),
    234: (-0.760, 0.249, -0.597),
    454: (0.760, 0.249, -0.597),
    127: (-0.770, 0.083, -0.554),
    356: (0.770, 0.083, -0.554),
}
RIGID_POINTS: Final = np.array(list(_RIGID))
RIGID_MODEL: Final = np.array(list(_RIGID.values()), np.float64) - np.mean(list(_RIGID.values()), axis=0)

# Patches of skin that can be tracked: mesh point, and how far it stands out. Not on lids and lips, which move by
# themselves, nor near the outline, which hides behind the cheek when the head turns; at least 0.07 apart.
# fmt: off
_SKIN: Final[dict[int, float]] = {
    1: 0.49, 2: 0.32, 3: 0.39, 4: 0.51, 5: 0.48, 6: 0.30, 8: 0.25, 9: 0.26, 31: -0.02, 36: 0.17, 46: 0.04, 47: 0.18,
    48: 0.25, 50: 0.08, 52: 0.16, 53: 0.11, 55: 0.22, 60: 0.30, 65: 0.20, 68: -0.03, 69: 0.15, 98: 0.23, 100: 0.15,
    101: 0.14, 104: 0.07, 107: 0.25, 108: 0.20, 113: 0.01, 117: 0.01, 118: 0.07, 119: 0.10, 128: 0.15, 131: 0.30,
    135: -0.10, 142: 0.18, 151: 0.22, 165: 0.25, 168: 0.24, 169: -0.03, 187: 0.02, 189: 0.11, 192: -0.07, 194: 0.18,
    197: 0.35, 200: 0.24, 202: 0.11, 203: 0.18, 204: 0.14, 205: 0.15, 206: 0.17, 207: 0.10, 210: 0.04, 211: 0.09,
    212: 0.09, 214: 0.03, 216: 0.14, 221: 0.13, 222: 0.14, 223: 0.14, 224: 0.11, 229: 0.06, 231: 0.10, 248: 0.39,
    261: -0.02, 266: 0.17, 276: 0.04, 277: 0.18, 278: 0.32, 280: 0.08, 282: 0.16, 283: 0.11, 285: 0.22, 290: 0.30,
    295: 0.20, 298: -0.03, 299: 0.15, 327: 0.25, 329: 0.15, 330: 0.14, 333: 0.07, 336: 0.25, 337: 0.20, 342: 0.01,
    346: 0.01, 347: 0.07, 348: 0.10, 357: 0.15, 360: 0.36, 364: -0.10, 367: -0.20, 371: 0.18, 391: 0.25, 394: -0.03,
    411: 0.02, 413: 0.11, 416: -0.07, 418: 0.18, 422: 0.11, 423: 0.18, 424: 0.14, 425: 0.15, 426: 0.17, 427: 0.10,
    430: 0.04, 431: 0.09, 432: 0.09, 434: 0.03, 436: 0.14, 441: 0.13, 442: 0.14, 443: 0.14, 444: 0.11, 449: 0.06,
    451: 0.10,
}
# fmt: on
SKIN_POINTS: Final = np.array(list(_SKIN))
SKIN_DEPTH: Final = np.array(list(_SKIN.values()), np.float32)

# The sides of the face, which a face that comes closer keeps in view: there depth shows most (approach.py).
_SIDES: Final[dict[int, float]] = {
    34: -0.33, 71: -0.15, 116: -0.13, 123: -0.11, 137: -0.35, 138: -0.20, 139: -0.26, 143: -0.16, 147: -0.12,
    177: -0.33, 213: -0.14, 227: -0.34, 264: -0.33, 301: -0.15, 345: -0.13, 352: -0.11, 366: -0.35, 367: -0.20,
    368: -0.26, 372: -0.16, 376: -0.12, 401: -0.33, 433: -0.14, 447: -0.34,
}  # fmt: skip
# What a mouth moves: a smile that fades while its owner comes closer would drown what depth shows.
_BY_THE_MOUTH: Final = frozenset({
    1, 2, 36, 48, 50, 60, 98, 135, 138, 165, 169, 187, 192, 194, 200, 202, 203, 204, 205, 206, 207, 210, 211, 212,
    214, 216, 266, 278, 280, 290, 327, 364, 367, 391, 394, 411, 416, 418, 422, 423, 424, 425, 426, 427, 430, 431, 432,
    434, 436,
})  # fmt: skip
WIDE_POINTS: Final = np.array(sorted((_SKIN.keys() | _SIDES.keys()) - _BY_THE_MOUTH))
WIDE_DEPTH: Final = np.array([{**_SKIN, **_SIDES}[int(point)] for point in WIDE_POINTS], np.float32)

RIGHT_EYE_OUTER: Final = 33
LEFT_EYE_OUTER: Final = 263
# p1…p6 of the eye aspect ratio (Soukupová & Čech 2016): corner, two of the upper lid, corner, two of the lower lid.
RIGHT_EYE: Final = (33, 160, 158, 133, 153, 144)
LEFT_EYE: Final = (362, 385, 387, 263, 373, 380)
MOUTH_CORNERS: Final = (61, 291)
INNER_LIPS: Final = (13, 14)
