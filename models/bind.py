"""The layers a builder is given. Padding enters a model here, once.

    nn = bind("reflect", overrides={"stem*": "valid"})
    x = nn.Conv2D(32, 3, name="stem")(x)

A builder calls `nn.Conv2D` and knows nothing of padding; `bind` knows all of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal

from .align import Anchor, align
from .layers import (
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    DepthwiseConv2D,
    MaxPooling1D,
    MaxPooling2D,
    PadInput1D,
    PadInput2D,
    SeparableConv2D,
    WeightNormConv1D,
)
from .padding import Padding, PaddingError

PaddingLike = Padding | str | Mapping[str, Any]
Pools = Literal["neutral", "follow"]


class Bound:
    """The zoo's layers with a padding bound to them; made by `bind`.

    Every layer takes the arguments of its Keras layer, needs a `name`, and takes no `padding`;
    a pool takes its architecture's published `padding`, a string of Keras, which
    `pools="follow"` replaces by the bound padding.
    """

    def __init__(
        self,
        padding: Padding,
        overrides: Mapping[str, PaddingLike],
        pools: Pools,
        input_padding: Padding | None,
        seed: int,
    ) -> None:
        self._padding, self._overrides, self._pools = padding, dict(overrides), pools
        self._input_padding, self._seed = input_padding, seed
        self.names: list[str] = []
        self.Conv1D = partial(self._convolution, Conv1D, 3)
        self.Conv2D = partial(self._convolution, Conv2D, 3)
        self.WeightNormConv1D = partial(self._convolution, WeightNormConv1D, 3)
        self.DepthwiseConv2D = partial(self._convolution, DepthwiseConv2D, 2)
        self.SeparableConv2D = partial(self._convolution, SeparableConv2D, 3)
        self.Conv1DTranspose = partial(self._convolution, Conv1DTranspose, 3)
        self.Conv2DTranspose = partial(self._convolution, Conv2DTranspose, 3)
        self.MaxPooling1D = partial(self._pool, MaxPooling1D)
        self.MaxPooling2D = partial(self._pool, MaxPooling2D)
        self.AveragePooling1D = partial(self._pool, AveragePooling1D)
        self.AveragePooling2D = partial(self._pool, AveragePooling2D)

    def pad_input(self, inputs: Any) -> Any:
        """Return the network's input, padded under amount `"input"`; a builder starts with it."""
        padding, self._input_padding = self._input_padding, None
        if padding is None:
            return inputs
        kind = PadInput1D if len(inputs.shape) == 3 else PadInput2D
        return kind(padding, name="pad_input", **self._seeded(padding, "pad_input"))(inputs)

    @property
    def owes_input(self) -> bool:
        """Whether the builder has left out `pad_input` where it was needed."""
        return self._input_padding is not None

    def align(self, tensors: Any, anchor: Anchor = "centre", *, name: str) -> list[Any]:
        """Crop branches to what they share; see `models.align.align`."""
        return align(tensors, anchor, name=name)

    def unmatched(self) -> list[str]:
        """Return the patterns of `overrides` that no padded layer's name has matched so far."""
        return [
            pattern
            for pattern in self._overrides
            if not any(fnmatchcase(name, pattern) for name in self.names)
        ]

    def _convolution(self, kind: Any, most: int, *args: Any, name: str, **kwargs: Any) -> Any:
        if "padding" in kwargs or len(args) > most:
            raise PaddingError(
                f"Layer '{name}' is bound: its padding comes from bind(), so a builder gives it "
                f"none, and all after strides by name. Received: args={args}, kwargs={kwargs}"
            )
        padding = self._padding_of(name)
        return kind(*args, padding=padding, name=name, **self._seeded(padding, name), **kwargs)

    def _pool(self, kind: Any, *args: Any, name: str, **kwargs: Any) -> Any:
        if self._pools == "neutral":
            return kind(*args, name=name, **kwargs)
        padding = self._padding_of(name)
        followed = {"padding": padding, "count_include_pad": True, **self._seeded(padding, name)}
        return kind(*args, name=name, **{**kwargs, **followed})

    def _seeded(self, padding: Padding, name: str) -> dict[str, int]:
        """Return a seed of its own for each layer whose border is random."""
        if not padding.draws:
            return {}
        return {"border_seed": zlib.crc32(f"{self._seed}/{name}".encode())}

    def _padding_of(self, name: str) -> Padding:
        self.names.append(name)
        for pattern, override in self._overrides.items():
            if fnmatchcase(name, pattern):
                return self._padding.overridden(override)
        return self._padding


def bind(
    padding: PaddingLike,
    overrides: Mapping[str, PaddingLike] | None = None,
    pools: Pools = "neutral",
    input_padding: Padding | None = None,
    seed: int = 0,
) -> Bound:
    """Bind a padding to the zoo's layers.

    Args:
        padding: of every convolution: a Padding, a name from `models.padding.NAMED` or a dict.
        overrides: other paddings by layer name: a shell pattern (`"stem*"`) to a Padding, a name,
            or a dict of the fields to replace. The first pattern that matches wins.
        pools: `"neutral"`: pools keep what their architecture published, with borders that do
            not count. `"follow"`: pools pad as the convolutions do, and the border counts.
        input_padding: what `pad_input` puts around the picture, in pixels; None for nothing.
        seed: from which the borders of mode `"random"` draw, each layer with its own.

    Raises:
        PaddingError: if a padding or `pools` is none of the allowed.
    """
    if pools not in ("neutral", "follow"):
        raise PaddingError(f"`pools` must be 'neutral' or 'follow'. Received: pools={pools!r}")
    base = Padding.of(padding)
    for override in (overrides or {}).values():
        base.overridden(override)  # a mistake is raised here, not at some layer
    return Bound(base, overrides or {}, pools, input_padding, seed)
