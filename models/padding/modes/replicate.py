"""The edge pixel repeated: a a [a b c] c c; mode "edge" of `numpy.pad`."""

from __future__ import annotations

from typing import Any

from ..definitions import IndexRule


def source(position: Any, size: int) -> Any:
    """Return the index of the pixel shown at each position."""
    return position.clip(0, size - 1)


MODE = IndexRule(source=source, looks_ahead=False)
