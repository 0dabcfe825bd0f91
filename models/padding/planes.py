"""An image and its border where rows and columns go on together, by a `PlaneRule`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .amounts import Widths
from .checks import PaddingError, SizeError
from .definitions import PlaneRule
from .modes import MODES, plane_of

AXES = ("height", "width")


def check_sizes(sizes: Sequence[int | None], mode: str, where: str) -> None:
    """Raise unless a mode can continue a map.

    Args:
        sizes: height and width of the map.
        mode: the name of a `PlaneRule`.
        where: whose map it is, with which the message begins.

    Raises:
        PaddingError: for an unknown size.
        SizeError: for one that is no multiple of what the mode needs.
    """
    rule = MODES[mode]
    assert isinstance(rule, PlaneRule)
    if None in sizes:
        raise PaddingError(
            f"Mode '{mode}' needs a known size on every axis it pads, and pads both together. "
            f"Received: sizes={tuple(sizes)}"
        )
    axes = zip(sizes, rule.multiples, AXES, strict=True)
    for axis, (size, multiple, name) in enumerate(axes):
        if size is not None and size % multiple:
            an_even = (
                f"an even {name}" if multiple == 2 else f"a {name} of a multiple of {multiple}"
            )
            raise SizeError(
                f"{where} has a {name} of {size}, and mode '{mode}' needs {an_even}.", axis
            )


def fits(sizes: Sequence[int], modes: Sequence[str]) -> bool:
    """Return whether a map of these sizes can be continued by modes, one or one per axis."""
    try:
        if plane := plane_of(modes):
            check_sizes(sizes, plane, "A map")
    except SizeError:
        return False
    return True


def plane_pixels(sizes: Sequence[int], widths: Widths, mode: str) -> np.ndarray:
    """Return which pixel each pixel of a padded image shows.

    Args:
        sizes: height and width of the image.
        widths: (before, after) in pixels on each axis.
        mode: the name of a `PlaneRule`.

    Returns:
        Integers (before + height + after, before + width + after): row * width + column.

    Raises:
        SizeError: for a size that the mode cannot continue.
    """
    check_sizes(sizes, mode, "A map")
    rule, (height, width) = MODES[mode], sizes
    assert isinstance(rule, PlaneRule)
    (top, bottom), (left, right) = widths
    rows, columns = np.arange(-top, height + bottom), np.arange(-left, width + right)
    row, column = rule.source(rows[:, None], columns[None, :], (height, width))
    return row * width + column
