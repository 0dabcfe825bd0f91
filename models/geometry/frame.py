"""Which part of an image a network gives that leaves pixels at the border out."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from .tracing.trace import TraceError, fields_of

if TYPE_CHECKING:
    import keras


def frame(model: keras.Model) -> tuple[tuple[int, int], ...]:
    """Return the pixels of the whole image that the network's output shows.

    The whole image has the size of the input, or an integer multiple of it where the network makes
    its input larger. An output of the whole size shows all of it. A smaller one, as under `valid`,
    lies where the centres of its pixels' receptive fields do; half a pixel is rounded down.

    Args:
        model: from (batch, height, width, channels) to (batch, height', width', channels').

    Returns:
        For each axis the first pixel that is shown, and how many are.

    Raises:
        TraceError: if the output is larger than the whole image, or cannot be traced.

    Example:
        >>> model = padzoo.build("unet", input_shape=(44, 44, 1), num_classes=1, padding="valid")
        >>> frame(model)
        ((20, 4), (20, 4))
    """
    sizes, given = model.input_shape[1:-1], model.output_shape[1:-1]
    axes = []
    for axis, field in enumerate(fields_of(model.outputs)[0]):
        larger = Fraction(1) / field.effective_stride
        whole = math.floor(sizes[axis] * larger)
        if given[axis] == whole:
            axes.append((0, whole))
            continue
        if field.middle is None or given[axis] > whole:
            raise TraceError(
                f"The output of {model.name} has {given[axis]} pixels on axis {axis}, which are no "
                f"part of an image of {whole}."
            )
        # Pixel centres: in units of the output's pixels the input's pixel i lies at i + 1/2.
        first = (field.middle + Fraction(1, 2)) * larger - Fraction(1, 2)
        axes.append((min(max(0, math.floor(first)), whole - given[axis]), given[axis]))
    return tuple(axes)
