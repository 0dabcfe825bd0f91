"""Padding as two factors: how many pixels (amount) and what they hold (mode).

No framework is imported here. `amounts` and `modes` hold a file for each, `definitions` says what
these files tell, `axes` computes with them, `supports` says what suits which layer.
"""

from .amounts import AMOUNTS, Widths, pad_amounts
from .checks import PaddingError
from .factors import NAMED, Padding
from .modes import MODES

__all__ = ["AMOUNTS", "MODES", "NAMED", "Padding", "PaddingError", "Widths", "pad_amounts"]
