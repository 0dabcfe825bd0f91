"""The border holds one trainable value per input channel and layer, 0 at first."""

from __future__ import annotations

from ..definitions import Weight

MODE = Weight(initial=0.0, looks_ahead=False)
