"""What an amount and a mode are: an object each, which says all that the other folders ask.

A mode is of one of six kinds. Which of them it is decides how the layers compute it and what the
geometry assumes about it:

| kind | the border holds | axis by axis |
|---|---|---|
| IndexRule | pixels of the feature map, chosen by their position; or zeros or a given value | yes |
| LinearRule | weighted sums of pixels of the feature map | yes |
| PlaneRule | pixels of an image, chosen by row and column together | no |
| Statistic | a statistic of each channel of each example, or draws around it | no |
| Weight | a trainable value per channel | no |
| Mask | zeros, for which the output of the window is rescaled | no |

Formulas receive arrays and, as `ops`, the module that computes with them (`numpy` or `keras.ops`),
so this folder imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from .checks import PaddingError


class WindowAxis(NamedTuple):
    """A window on one axis of a feature map of `size` pixels; `size` may be unknown (None)."""

    size: int | None
    kernel_size: int
    strides: int
    dilation_rate: int

    @property
    def reach(self) -> int:
        """How many pixels a window spans beside its first: d (k - 1)."""
        return self.dilation_rate * (self.kernel_size - 1)

    @property
    def same_total(self) -> int:
        """Return TensorFlow's SAME total, `max(0, reach - (size - 1) mod strides)`, in pixels.

        Raises:
            PaddingError: if the size is unknown and the total depends on it.
        """
        if self.strides == 1 or self.reach == 0:
            return self.reach
        if self.size is None:
            raise PaddingError(
                "'same', and the amounts computed from it, need a known size where strides > 1. "
                f"Received: size=None, strides={self.strides}"
            )
        return max(0, self.reach - (self.size - 1) % self.strides)


# What a layer computes of its windows; `supports.LAYERS` says it of every layer.
COMPUTES = ("convolution", "transposed", "maximum", "average", "image")


@dataclass(frozen=True, eq=False, kw_only=True)
class Amount:
    """How many pixels are put on each side of an axis.

    Attributes:
        pads: from a `WindowAxis` to the pixels (before, after).
        causal: whether the window may not see later pixels. Then the amount belongs to one axis,
            so an image is given one amount per axis, and modes that look ahead are refused.
        splits: from a `WindowAxis` to whether the two sides share a pixel that only one of them
            can have, so that each channel's window takes up one pixel less than there is; None
            where that never happens.
        restores_size: whether a transposed convolution gives `size * strides` pixels.
        refused: reasons against layers by what these compute (a name in `COMPUTES`); `{layer}`
            in a reason becomes the layer's name.
    """

    pads: Callable[[WindowAxis], tuple[int, int]]
    causal: bool = False
    splits: Callable[[WindowAxis], bool] | None = None
    restores_size: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mode:
    """What the border of a feature map holds; the base of the six kinds.

    Attributes:
        looks_ahead: whether the border before a sequence may depend on later steps; amounts that
            are causal refuse such a mode.
        refused: reasons against layers by what these compute (a name in `COMPUTES`), and against
            amounts by their names; `{layer}` in a reason becomes the layer's name.
        by_axis: whether each axis can be padded on its own, and another axis in another mode.
        needs_size: whether the size of a padded axis must be known.
        takes_value: whether the border holds the padding's `value`.
        draws: whether the border is random in training, so that the layer needs a seed.
        closes: whether the feature map goes round and has no edge, if all layers pad so.
        per_channel: whether the whole border of a channel holds one number.
    """

    looks_ahead: bool = True
    refused: Mapping[str, str] = field(default_factory=dict)
    takes_value: bool = False
    closes: bool = False
    by_axis: ClassVar[bool] = False

    @property
    def needs_size(self) -> bool:
        return False

    @property
    def draws(self) -> bool:
        return False

    @property
    def per_channel(self) -> bool:
        return False


@dataclass(frozen=True, eq=False, kw_only=True)
class IndexRule(Mode):
    """Each pixel of the border shows a pixel of the feature map, or zero, or the given value.

    Attributes:
        source: from positions, integers of any shape where 0 to size - 1 lie on the map, and the
            size of the axis to the index of the pixel shown there. It must return the position
            itself on the map, and hold at every width and from a size of 1. None where the border
            shows no pixel: it is `value` if the mode takes one, else zero.
        copies: from the size of an axis to the widest border on one side that shows no pixel
            twice; None where the border is meant to repeat a pixel.
    """

    source: Callable[[Any, int], Any] | None = None
    copies: Callable[[int], int] | None = None
    by_axis: ClassVar[bool] = True

    @property
    def needs_size(self) -> bool:
        return self.source is not None

    @property
    def per_channel(self) -> bool:
        return self.writes and self.takes_value

    @property
    def writes(self) -> bool:
        """Whether the border shows no pixel of the map."""
        return self.source is None


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearRule(Mode):
    """Each pixel of the border is a weighted sum of pixels on the same line.

    Attributes:
        terms: from positions and the size of an axis, as in `IndexRule`, to pairs of an index and
            a weight for each position. The padded axis is the sum of weight * x[index] over the
            pairs; on the map that is x itself.
        copies: as in `IndexRule`.
    """

    terms: Callable[[Any, int], Sequence[tuple[Any, Any]]]
    copies: Callable[[int], int] | None = None
    by_axis: ClassVar[bool] = True

    @property
    def needs_size(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class PlaneRule(Mode):
    """Each pixel of the border of an image shows a pixel of it, which both positions choose.

    Attributes:
        source: `source(rows, columns, sizes)`, from positions, integers that broadcast where 0 to
            size - 1 lie on the map, and (height, width) to the row and the column of the pixel
            shown there, both of the broadcast shape. It must return the position itself on the
            map, and hold at every width.
        multiples: what height and width must be multiples of where a border is read.
        copies: from (height, width) to the widest border above or below, and at the left or right,
            that shows no pixel of a line twice; None where the border is meant to repeat a pixel.
    """

    source: Callable[[Any, Any, tuple[int, int]], tuple[Any, Any]]
    multiples: tuple[int, int] = (1, 1)
    copies: Callable[[tuple[int, int]], tuple[int, int]] | None = None

    @property
    def needs_size(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class Statistic(Mode):
    """The border of a channel holds a statistic of that channel, example by example.

    The geometry assumes that every pixel of the map has an equal part in it.

    Attributes:
        level: `level(x, axes, ops)`, from a feature map (batch, *spatial, channels) and the numbers
            of its spatial axes to (batch, channels).
        deviation: as `level`; in training each pixel of the border is then drawn from a normal
            distribution with this standard deviation around the level. None for no draws.
    """

    level: Callable[[Any, tuple[int, ...], Any], Any]
    deviation: Callable[[Any, tuple[int, ...], Any], Any] | None = None

    @property
    def draws(self) -> bool:
        return self.deviation is not None

    @property
    def per_channel(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class Weight(Mode):
    """The border of a channel holds one trainable value, which starts at `initial`.

    The initial value is a constant: padding draws nothing, so the initial weights of the other
    layers are the same under every padding.
    """

    initial: float = 0.0

    @property
    def per_channel(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class Mask(Mode):
    """Zeros that the window knows about: its output is multiplied by `scale`, before the bias.

    Attributes:
        scale: `scale(covered, taps, ops)`, from how many of the `taps` of a window on one axis lie
            on the map to the factor; the factors of the axes are multiplied.
    """

    scale: Callable[[Any, int, Any], Any]

    @property
    def needs_size(self) -> bool:
        return True


KINDS: tuple[type[Mode], ...] = (IndexRule, LinearRule, PlaneRule, Statistic, Mask, Weight)
