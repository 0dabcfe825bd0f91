"""Padding as two factors: how many pixels (amount) and what they hold (mode).

No framework is imported in this folder. `names` says what there is, `amounts` how many pixels an
amount is, `modes` what a border holds, `supports` what suits which layer.
"""

from .amounts import Widths, pad_amounts
from .factors import NAMED, Padding
from .names import PaddingError

__all__ = ["NAMED", "Padding", "PaddingError", "Widths", "pad_amounts"]
