"""Normalisation that Keras does not ship, or not as fast."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import ChannelsLast, register
from .engine.precision import exact


@register
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer; on TensorFlow it normalises a training batch of images in one fused kernel.

    Keras computes moments, differences and products one after the other, and TensorFlow takes
    two to three times as long for that on a CPU. Arguments, weights and numbers are Keras', but
    for rounding. Input and output shape: (batch, height, width, channels), or any of Keras'. As in
    Keras it is `axis` that says where the channels are, whatever `data_format` is.

    Example:
        >>> padzoo.BatchNormalization()(keras.Input((32, 32, 3))).shape
        (None, 32, 32, 3)
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise; with training=True by the batch's own statistics, which it also records."""
        if not (training and self.trainable and mask is None and self._fuses(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        x = tf.cast(inputs, "float32")
        fused = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=tf.cast(self.gamma, "float32"),
            offset=tf.cast(self.beta, "float32"),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel reports the unbiased variance; Keras keeps the one it normalises by.
        count = tf.cast(tf.size(x) / x.shape[-1], "float32")
        variance = fused.batch_variance * tf.maximum(count - 1, 1) / count
        kept = ((self.moving_mean, fused.batch_mean), (self.moving_variance, variance))
        for moving, of_batch in kept:
            moving.assign(moving * self.momentum + of_batch * (1 - self.momentum))
        return tf.cast(fused.y, self.compute_dtype)

    def _fuses(self, inputs: Any) -> bool:
        plain = self.center and self.scale and not self.renorm and not self.synchronized
        images = len(inputs.shape) == 4 and self.axis in (-1, 3)
        single = keras.backend.standardize_dtype(inputs.dtype) != "float64"
        return keras.backend.backend() == "tensorflow" and plain and images and single


@register
class LocalResponseNormalization(ChannelsLast):
    """Divide by the energy of the neighbouring channels at the same pixel.

    y = x / (1 + alpha / size * sum of x^2 over the `size` channels around) ** beta. Krizhevsky,
    Sutskever & Hinton 2012, section 3.3, in the form of GoogLeNet's reference network: additive
    constant 1, and alpha shared out over the window. Channels beyond the ends count as zero.

    Input and output shape: (batch, ..., channels).

    Args:
        size: channels in the window, odd.
        alpha, beta: of the formula.
        data_format: as in `ChannelsLast`.

    Raises:
        ValueError: for a window that is even or empty, and for channels_first.

    Example:
        >>> padzoo.LocalResponseNormalization(size=5)(keras.Input((8, 8, 64))).shape
        (None, 8, 8, 64)
    """

    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"`size` must be odd and positive. Received: size={size}")
        self.size, self.alpha, self.beta = size, alpha, beta

    def call(self, inputs: Any) -> Any:
        """Normalise in float32 at least, whatever the policy: the squares need its range."""
        x = exact(inputs)
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
