"""Normalisation that Keras does not ship."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.convolution import register


@register
class LocalResponseNormalization(keras.layers.Layer):
    """Divide by the energy of the neighbouring channels at the same pixel.

    y = x / (1 + alpha / size * sum of x^2 over the `size` channels around) ** beta. Krizhevsky,
    Sutskever & Hinton 2012, section 3.3, in the form of GoogLeNet's reference network: additive
    constant 1, and alpha shared out over the window. Channels beyond the ends count as zero.

    Input and output shape: (batch, ..., channels).

    Args:
        size: channels in the window, odd.
        alpha, beta: of the formula.
    """

    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"`size` must be odd and positive. Received: size={size}")
        self.size, self.alpha, self.beta = size, alpha, beta

    def call(self, inputs: Any) -> Any:
        """Normalise in float32, whatever the policy: the squares need its range."""
        x = ops.cast(inputs, "float32")
        channels, side = x.shape[-1], self.size // 2
        squares = ops.pad(ops.square(x), [(0, 0)] * (len(x.shape) - 1) + [(side, side)])
        energy = sum(squares[..., i : i + channels] for i in range(self.size))
        scale = ops.power(1.0 + self.alpha / self.size * energy, -self.beta)
        return ops.cast(x * scale, inputs.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "alpha": self.alpha,
            "beta": self.beta,
        }
