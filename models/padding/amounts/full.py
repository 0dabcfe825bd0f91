"""(r, r), which gives floor((n + r - 1) / s) + 1 outputs: each window that covers a pixel.

Dumoulin & Visin (arXiv:1603.07285), section 2.3.
"""

from __future__ import annotations

from ..definitions import Amount

AMOUNT = Amount(pads=lambda axis: (axis.reach, axis.reach))
