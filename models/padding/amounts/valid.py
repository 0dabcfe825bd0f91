"""No padding: (0, 0), which gives floor((n - r - 1) / s) + 1 outputs.

Dumoulin & Visin (arXiv:1603.07285), section 2.1.
"""

from __future__ import annotations

from ..definitions import Amount

AMOUNT = Amount(pads=lambda axis: (0, 0))
