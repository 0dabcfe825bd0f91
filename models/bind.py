"""The layers a builder is given. Padding enters a model here, once.

A builder calls `nn.Conv2D(32, 3, name="stem")` and knows nothing of padding; `bind` knows all.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal, NoReturn

from keras import layers as keras_layers

from .align import Anchor, align
from .geometry import arithmetic
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
from .layers.base import read_given
from .padding import Padding, PaddingError
from .padding.amounts import is_causal

# What has a border: of a network, all of these are made by `bind`.
_BORDERED = (
    keras_layers.Conv1D,
    keras_layers.Conv2D,
    keras_layers.Conv3D,
    keras_layers.Conv1DTranspose,
    keras_layers.Conv2DTranspose,
    keras_layers.Conv3DTranspose,
    keras_layers.DepthwiseConv1D,
    keras_layers.DepthwiseConv2D,
    keras_layers.SeparableConv1D,
    keras_layers.SeparableConv2D,
    keras_layers.MaxPooling1D,
    keras_layers.MaxPooling2D,
    keras_layers.MaxPooling3D,
    keras_layers.AveragePooling1D,
    keras_layers.AveragePooling2D,
    keras_layers.AveragePooling3D,
)

PaddingLike = Padding | str | Mapping[str, Any]
Pools = Literal["neutral", "follow"]
Amounts = Literal["published", "bound"]


class Bound:
    """The zoo's layers with a padding bound to them; made by `bind`.

    Every layer takes the arguments of its Keras layer, needs a `name`, and takes no `padding`;
    a pool takes its architecture's published `padding`, a string of Keras, which
    `pools="follow"` replaces by the bound padding. A convolution takes its architecture's published
    `amount` where there is one, as in `Padding`: it is filled in the bound mode.

    A transposed convolution takes `to`, the spatial sizes of the map that it is to give back. Where
    its own convolution would make its input of that map, it gives exactly these sizes: it cuts what
    the convolution would pad, and has the output padding that Dumoulin & Visin's relationship 14
    says. Else, or where a size is unknown, it has the bound padding and Keras' own size, and
    `align` crops what is too much.
    """

    def __init__(
        self,
        padding: Padding,
        overrides: Mapping[str, PaddingLike],
        pools: Pools,
        input_padding: Padding | None,
        seed: int,
        amounts: Amounts = "published",
    ) -> None:
        self._amounts = amounts
        self._padding, self._overrides, self._pools = padding, dict(overrides), pools
        self._input_padding, self._seed = input_padding, seed
        self.names: list[str] = []
        self._made: list[Any] = []
        self.Conv1D = partial(self._convolution, Conv1D, 3)
        self.Conv2D = partial(self._convolution, Conv2D, 3)
        self.WeightNormConv1D = partial(self._convolution, WeightNormConv1D, 3)
        self.DepthwiseConv2D = partial(self._convolution, DepthwiseConv2D, 2)
        self.SeparableConv2D = partial(self._convolution, SeparableConv2D, 3)
        self.Conv1DTranspose = partial(self._transposed, Conv1DTranspose)
        self.Conv2DTranspose = partial(self._transposed, Conv2DTranspose)
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

    def align(
        self, tensors: Any, anchor: Anchor | Literal["bound"] = "centre", *, name: str
    ) -> list[Any]:
        """Crop branches to what they share; see `padzoo.align`.

        The anchor `"bound"` is the `"end"` on an axis of which the bound amount is causal, and the
        `"centre"` on any other.
        """
        if anchor != "bound":
            return align(tensors, anchor, name=name)
        causal = self.causal(len(tensors[0].shape) - 2)
        return align(tensors, ["end" if past else "centre" for past in causal], name=name)

    def causal(self, rank: int) -> tuple[bool, ...]:
        """Return for each spatial axis whether the bound amount is causal."""
        return tuple(map(is_causal, self._padding.amounts(rank)))

    def unbound(self, model: Any) -> list[str]:
        """Return the convolutions and pools inside a model that were not made here, by name."""
        found = []
        for layer in model._flatten_layers(recursive=False, include_self=False):
            if any(layer is made for made in self._made):
                continue
            if isinstance(layer, _BORDERED):
                found.append(f"{type(layer).__name__} '{layer.name}'")
            else:
                found += self.unbound(layer)
        return found

    def unmatched(self) -> list[str]:
        """Return the patterns of `overrides` that no padded layer's name has matched so far."""
        return [
            pattern
            for pattern in self._overrides
            if not any(fnmatchcase(name, pattern) for name in self.names)
        ]

    def __getattr__(self, name: str) -> NoReturn:
        """Tell which layers there are; only what is not there is looked for here."""
        layers = ", ".join(sorted(made for made in vars(self) if made[0].isupper()))
        raise AttributeError(
            f"nn has no {name}. Its layers: {layers}; one without a border comes from keras.layers"
        )

    def _convolution(
        self,
        kind: Any,
        most: int,
        *args: Any,
        name: str | None = None,
        amount: Any = None,
        **kwargs: Any,
    ) -> Any:
        name = _named(kind, name)
        if "padding" in kwargs or len(args) > most:
            raise PaddingError(
                f"Layer '{name}' is bound: its padding comes from bind(), so a builder gives it "
                f"none, and all after strides by name. Received: args={args}, kwargs={kwargs}"
            )
        return self._padded(kind, args, self._padding_of(name, amount), name, kwargs)

    def _padded(self, kind: Any, args: Any, padding: Padding, name: str, kwargs: Any) -> Any:
        seeded = self._seeded(padding, name)
        return self._keep(kind(*args, padding=padding, name=name, **seeded, **kwargs))

    def _transposed(
        self,
        kind: Any,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        *args: Any,
        to: Sequence[int | None] | None = None,
        name: str | None = None,
        amount: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return the layer, or with `to` a function that makes it for the map it is called on."""
        own = (filters, kernel_size, strides, *args)
        if to is not None:
            _check_sizes(kind, name, to)
        if to is None or None in to or args or "padding" in kwargs:
            return self._convolution(kind, 3, *own, name=name, amount=amount, **kwargs)
        name = _named(kind, name)
        padding = self._padding_of(name, amount)
        read_given(padding, kind.__name__)  # what the layer refuses, it refuses by its name
        given = (kernel_size, strides, kwargs.get("dilation_rate", 1))
        window = [(n,) * kind.RANK if isinstance(n, int) else tuple(n) for n in given]
        widths = padding.widths(to, *window)
        axes = [(*axis, *width) for *axis, width in zip(to, *window, widths, strict=True)]
        came = tuple(arithmetic.output_size(*axis) for axis in axes)
        exact = {"output_padding": tuple(arithmetic.output_padding(*axis) for axis in axes)}

        def restore(x: Any) -> Any:
            if tuple(x.shape[1:-1]) != came:
                return self._padded(kind, own, padding, name, kwargs)(x)
            cut = padding.replace({"amount": widths})
            return self._padded(kind, own, cut, name, {**kwargs, **exact})(x)

        return restore

    def _pool(self, kind: Any, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        name = _named(kind, name)
        if self._pools == "neutral":
            return self._keep(kind(*args, name=name, **kwargs))
        padding = self._padding_of(name)
        followed = {"padding": padding, "count_include_pad": True, **self._seeded(padding, name)}
        return self._keep(kind(*args, name=name, **{**kwargs, **followed}))

    def _keep(self, layer: Any) -> Any:
        self._made.append(layer)
        return layer

    def _seeded(self, padding: Padding, name: str) -> dict[str, int]:
        """Return a seed of its own for each layer whose border is random."""
        if not padding.draws:
            return {}
        return {"border_seed": zlib.crc32(f"{self._seed}/{name}".encode())}

    def _padding_of(self, name: str, amount: Any = None) -> Padding:
        self.names.append(name)
        for pattern, override in self._overrides.items():
            if fnmatchcase(name, pattern):
                return self._padding.overridden(override)
        if amount is not None and self._amounts == "published":
            return self._padding.replace({"amount": amount})
        return self._padding


def _check_sizes(kind: Any, name: str | None, to: Any) -> None:
    """Raise PaddingError unless `to` has a size for each axis."""
    one_each = isinstance(to, (tuple, list)) and len(to) == kind.RANK
    if not one_each or not all(n is None or (type(n) is int and n >= 1) for n in to):
        raise PaddingError(
            f"`to` of layer '{name}' must be one size per axis, {kind.RANK} in all: an int from 1 "
            f"on, or None where it is unknown. Received: to={to!r}"
        )


def _named(kind: Any, name: str | None) -> str:
    """Return a layer's name; TypeError without one."""
    if name is None:
        raise TypeError(
            f"nn.{kind.__name__} needs a name, by which padding.overrides finds the layer: "
            f"nn.{kind.__name__}(…, name='stem')"
        )
    return name


def bind(
    padding: PaddingLike,
    overrides: Mapping[str, PaddingLike] | None = None,
    pools: Pools = "neutral",
    input_padding: Padding | None = None,
    seed: int = 0,
    amounts: Amounts = "published",
) -> Bound:
    """Bind a padding to the zoo's layers.

    Args:
        padding: of every convolution: a Padding, a name from `padzoo.padding.NAMED` or a dict.
        overrides: other paddings by layer name: a shell pattern (`"stem*"`) to a Padding, a name,
            or a dict of the fields to replace. The first pattern that matches wins.
        pools: `"neutral"`: pools keep what their architecture published, with borders that do
            not count. `"follow"`: pools pad as the convolutions do, and the border counts.
        input_padding: what `pad_input` puts around the image, in pixels; None for nothing.
        seed: from which the borders of mode `"random"` draw, each layer with its own.
        amounts: `"published"`: a convolution for which the architecture has published an amount
            keeps it, in the bound mode; an override wins. `"bound"`: it has the bound padding's.

    Raises:
        PaddingError: if a padding or `pools` is none of the allowed.

    Example:
        >>> nn = padzoo.bind("reflect", overrides={"stem*": "valid"})
        >>> x = nn.Conv2D(8, 3, name="stem")(nn.pad_input(inputs := keras.Input((32, 32, 3))))
        >>> nn.Conv2D(8, 3, name="body")(x).shape
        (None, 30, 30, 8)
    """
    if pools not in ("neutral", "follow"):
        raise PaddingError(f"`pools` must be 'neutral' or 'follow'. Received: pools={pools!r}")
    base = Padding.of(padding)
    for override in (overrides or {}).values():
        base.overridden(override)  # a mistake is raised here, not at some layer
    return Bound(base, overrides or {}, pools, input_padding, seed, amounts)
