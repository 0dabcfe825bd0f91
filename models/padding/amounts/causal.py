"""(r, 0), which gives floor((n - 1) / s) + 1 outputs: no output sees later pixels.

van den Oord et al. 2016 (arXiv:1609.03499).
"""

from __future__ import annotations

from ..definitions import Amount

AMOUNT = Amount(pads=lambda axis: (axis.reach, 0), causal=True)
