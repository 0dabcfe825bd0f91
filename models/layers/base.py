"""What every layer with a border has: its padding, and what a mode keeps in the layer.

Two kinds of modes keep something: a `Weight` a trainable value per input channel, a `Statistic`
that draws the state of a generator with a seed of its own, so that neither changes the initial
weights of any layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from ..padding import MODES, Padding, PaddingError, Widths
from ..padding.definitions import Mode, Statistic, Weight
from ..padding.modes import plane_of
from ..padding.planes import check_sizes
from ..padding.supports import supports
from .engine.extend import check_known, pad, pad_with_noise
from .engine.precision import exact

register = keras.saving.register_keras_serializable("padzoo")


class Given(NamedTuple):
    """A layer's `padding` argument, and whether it was a string that Keras' layer takes too."""

    border: Padding
    keeps_string: bool


def read_given(padding: Any, layer: str) -> Given:
    """Read a layer's `padding`: a Padding, its dict, or a string.

    A string that the layer of that name in Keras takes means exactly what it means there; any
    other is a name from `padzoo.padding.NAMED`.

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
    """
    if isinstance(padding, str):
        of_keras = ("valid", "same", "causal") if layer.endswith("Conv1D") else ("valid", "same")
        if padding.lower() in of_keras:
            return Given(Padding(padding.lower()), True)
    border = Padding.of(padding)
    reason = supports(border.amount, border.mode, layer)
    if reason is not None:
        raise PaddingError(f"{reason}. Received: padding={border.to_dict()}")
    return Given(border, False)


def check_channels_last(data_format: str | None) -> None:
    """Raise ValueError for channels_first, which no layer of the zoo takes; None asks Keras."""
    data_format = data_format or keras.config.image_data_format()
    if data_format != "channels_last":
        raise ValueError(
            "padzoo's layers take their channels last: move them with keras.layers.Permute, and "
            "give data_format='channels_last' or call keras.config.set_image_data_format("
            f"'channels_last'). Received: data_format={data_format!r}"
        )


def is_of(layer: Any, kind: type) -> bool:
    """Return whether a layer is of a kind, also where it is the other name's.

    Imported as `padzoo` and, in the checkout, as `models`, each class is there twice; a saved
    network is made of those that were imported last.
    """
    return any(_place(own) == _place(kind) for own in type(layer).__mro__)


def _place(kind: type) -> tuple[str, str]:
    package, _, module = kind.__module__.partition(".")
    return module if package in ("models", "padzoo") else kind.__module__, kind.__qualname__


class ChannelsLast(keras.Layer):
    """Mixed into layers whose config has no `data_format`: it must be `"channels_last"`.

    None, the default, stands for Keras' own, which is refused where it is `"channels_first"`.
    A saved layer was made under `"channels_last"`, whatever Keras' own is where it is loaded.
    """

    def __init__(self, *, data_format: str | None = None, **kwargs: Any) -> None:
        check_channels_last(data_format)
        super().__init__(**kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the layer of a config."""
        return cls(**{"data_format": "channels_last", **config})


class Bordered(keras.Layer):
    """Mixed in before a Keras layer. The attribute `border` is always a Padding.

    Args of the layers: `padding`, read by `read_given`; `border_seed`, from which mode
    `"random"` draws.
    """

    RANK: int

    def set_border(self, given: Given, border_seed: int) -> None:
        """Keep what was given; to be called once Keras' own layer is constructed."""
        check_channels_last(getattr(self, "data_format", "channels_last"))
        self.border, self.keeps_string = given
        self.border_seed = border_seed
        self.border_value = None
        if self.border.draws:
            self.noise = keras.random.SeedGenerator(border_seed, name="border_noise")

    @property
    def mode(self) -> str | None:
        """The name of the mode, or None where the axes have different ones."""
        modes = set(self.border.modes(self.RANK))
        return modes.pop() if len(modes) == 1 else None

    @property
    def filling(self) -> Mode | None:
        """What the border holds, or None where the axes have different modes."""
        return MODES[self.mode] if self.mode else None

    @property
    def _space(self) -> tuple[int, ...]:
        """The numbers of the spatial axes."""
        return tuple(range(1, self.RANK + 1))

    def check_border(self, input_shape: tuple[int | None, ...], widths: Widths) -> None:
        """Raise PaddingError if the border needs another size, or one that is not known."""
        modes = self.border.modes(self.RANK)
        check_known(input_shape, widths, modes)
        if (plane := plane_of(modes)) and any(map(any, widths)):
            check_sizes(input_shape[1:-1], plane, f"The map of layer '{self.name}'")

    def build_border(self, channels: int | None, widths: Widths) -> None:
        """Create the trainable border of a `Weight`; call it after the other weights.

        Raises:
            PaddingError: if `value` has another number of channels than the map.
        """
        value = self.border.value
        if isinstance(value, tuple) and len(value) != channels:
            raise PaddingError(
                f"`value` must have one number for each channel of the input of layer "
                f"'{self.name}': {channels}, not {len(value)}. Received: value={list(value)}"
            )
        if isinstance(self.filling, Weight) and any(map(any, widths)):
            self.border_value = self.add_weight(
                name="border",
                shape=(channels,),
                initializer=keras.initializers.Constant(self.filling.initial),
            )

    def border_values(self, x: Any) -> Any:
        """Return what a border of constant channels holds: (1, channels) or (batch, channels).

        Its dtype is that of `precision.exact(x)`, in which no sum of pixels overflows.
        """
        filling = self.filling
        if isinstance(filling, Statistic):
            return filling.level(exact(x), self._space, ops)
        if isinstance(filling, Weight):
            if self.border_value is None:
                raise PaddingError(
                    f"Layer '{self.name}' was built for a size that needs no border, so it has "
                    f"learned none. Received: inputs.shape={tuple(x.shape)}"
                )
            return exact(ops.cast(self.border_value, x.dtype))[None]
        value = np.broadcast_to(self.border.value, (1, x.shape[-1]))
        return exact(ops.convert_to_tensor(value, dtype=x.dtype))

    def padded(self, x: Any, widths: Widths, training: bool | None) -> Any:
        """Return the map with its border: (batch, *padded, channels)."""
        if not any(map(any, widths)):
            return x
        if self.border.draws and training:
            return self._padded_with_noise(x, widths)
        if isinstance(self.filling, (Statistic, Weight)):
            return pad(x, widths, "constant", self.border_values(x))
        value = self.border.value
        if isinstance(value, tuple):
            value = ops.convert_to_tensor([value], dtype=x.dtype)
        return pad(x, widths, self.border.modes(self.RANK), value)

    def finish(self, outputs: Any) -> Any:
        """Add the bias and apply the activation, in a layer that has weights."""
        if self.use_bias:
            outputs = ops.add(outputs, ops.cast(self.bias, outputs.dtype))
        return outputs if self.activation is None else self.activation(outputs)

    def _padded_with_noise(self, x: Any, widths: Widths) -> Any:
        """Noise carries no gradient, as dropout's mask does not; the mean does."""
        mean = self.border_values(x)
        assert isinstance(self.filling, Statistic) and self.filling.deviation is not None
        spread = ops.stop_gradient(self.filling.deviation(exact(x), self._space, ops))
        deviation = ops.reshape(spread, (-1, *(1,) * self.RANK, x.shape[-1]))

        def draw(shape: tuple) -> Any:
            return deviation * exact(keras.random.normal(shape, dtype=x.dtype, seed=self.noise))

        return pad_with_noise(x, widths, mean, draw)

    def get_config(self) -> dict[str, Any]:
        """Return Keras' config, with the padding as a plain dict unless it came as a string."""
        config = super().get_config()
        if not self.keeps_string:
            config["padding"] = self.border.to_dict()
        if self.border.draws:
            config["border_seed"] = self.border_seed
        return config
