"""In training mean + deviation * noise, standard normal for each pixel; else the mean.

After Nguyen et al. 2019, "Distribution padding in convolutional neural networks" (ICIP).
"""

from __future__ import annotations

from typing import Any

from ..definitions import Statistic
from .mean import level


def deviation(x: Any, axes: tuple[int, ...], ops: Any) -> Any:
    """Return the standard deviations: (batch, *spatial, channels) -> (batch, channels)."""
    return ops.std(x, axis=axes)


MODE = Statistic(level=level, deviation=deviation)
