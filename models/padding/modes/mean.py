"""The border holds the channel's mean over all spatial axes of the map, in each example."""

from __future__ import annotations

from typing import Any

from ..definitions import Statistic


def level(x: Any, axes: tuple[int, ...], ops: Any) -> Any:
    """Return the means: (batch, *spatial, channels) -> (batch, channels)."""
    return ops.mean(x, axis=axes)


MODE = Statistic(level=level)
