"""The one border of amount `"input"`: around the image, before the first layer."""

from __future__ import annotations

from typing import Any

from ..padding import Padding, PaddingError, Widths
from ..padding.names import INPUT
from .base import Bordered, ChannelsLast, read_given, register
from .engine.extend import padded_shape

Shape = tuple[int | None, ...]


class PadInput(ChannelsLast, Bordered):
    """Pads a map by a number of pixels.

    Args:
        padding: a Padding, or its dict, whose amount is an int or pairs.
        border_seed: of mode `"random"`.
        data_format: as in `ChannelsLast`.

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        ValueError: for channels_first.
    """

    def __init__(self, padding: Any, border_seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = read_given(Padding.of(padding), type(self).__name__)
        if given.border.amount == INPUT:
            raise PaddingError(
                "How many pixels 'input' means is for padzoo.build to say; this layer takes a "
                f"number. Received: padding={given.border.to_dict()}"
            )
        self.set_border(given, border_seed)

    @property
    def widths(self) -> Widths:
        """The pixels (before, after) on each spatial axis."""
        sizes = (None,) * self.RANK
        return self.border.widths(sizes, (2,) * self.RANK, (1,) * self.RANK, (1,) * self.RANK)

    def build(self, input_shape: Shape) -> None:
        """Create the border's own weight, if its mode has one."""
        self.check_border(input_shape, self.widths)
        self.build_border(input_shape[-1], self.widths)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Pad: (batch, *spatial, channels) -> (batch, *padded, channels)."""
        return self.padded(inputs, self.widths, training)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, *padded, channels)."""
        return padded_shape(input_shape, self.widths)


@register
class PadInput1D(PadInput):
    """Pads a sequence; see `PadInput`. Shapes: (batch, steps, channels).

    Example:
        >>> padzoo.PadInput1D(padzoo.Padding([[6, 0]], "replicate"))(keras.Input((40, 2))).shape
        (None, 46, 2)
    """

    RANK = 1


@register
class PadInput2D(PadInput):
    """Pads an image; see `PadInput`. Shapes: (batch, height, width, channels).

    Example:
        >>> padzoo.PadInput2D(padzoo.Padding(4, "reflect"))(keras.Input((32, 32, 3))).shape
        (None, 40, 40, 3)
    """

    RANK = 2
