"""The trained network of a run, and the form in which it takes its examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from conf.schema import Config
from data import DataError
from data.loading import as_trained

COLOURS = 4  # the most channels of an image file: a last axis no longer than this may be them


class TrainedNetwork:
    """What predictions of classes and of images have in common.

    Attributes:
        stored_shape: of one example as the run's data set stores it, channels last; None for a
            size that may vary.
        stored_dtype: type of the stored values; None for a run that did not record it.
        takes_pixels: whether the values are pixels from 0 to 255, as in image files.
    """

    def __init__(self, trained: Config, learned: dict[str, Any], model: Any) -> None:
        """Args:
        trained: configuration of the run.
        learned: the content of its data.json.
        model: its keras.Model.
        """
        self._model, self._data = model, trained.data
        self._mean, self._std = np.asarray(learned["mean"]), np.asarray(learned["std"])
        *sizes, channels = model.input_shape[1:]
        if self._data.sequence:
            sizes = [None, None]
        stored = learned.get("stored_shape") or [*sizes, channels]
        if self._data.resize is not None:  # images of any size are resized to one
            stored = [*[None] * (len(stored) - 1), stored[-1]]
        self.stored_shape: tuple[int | None, ...] = tuple(stored)
        self.stored_dtype: str | None = learned.get("stored_dtype")
        # Images of several sizes are resized when they are read, and are floats then.
        resized = self._data.source != "npz" and self._data.resize is not None
        self.takes_pixels = resized or self.stored_dtype in (None, "uint8")

    @property
    def channels_first(self) -> bool:
        """Whether the run's arrays have the channels first."""
        return self._data.layout == "channels_first"

    def _stored(self, x: Any) -> np.ndarray:
        """Examples as a user has them, with their channels, and those last."""
        stored = np.asarray(x)
        if stored.dtype.kind not in "buif":
            raise DataError(f"examples must be numbers; got an array of {stored.dtype}")
        if stored.ndim == len(self.stored_shape) + 1 and self.channels_first:
            return np.moveaxis(stored, 1, -1)
        if stored.ndim == len(self.stored_shape) and self.stored_shape[-1] == 1:
            return stored[..., None]
        return stored

    def _normalised(self, stored: np.ndarray, told: tuple[int, ...] | None) -> np.ndarray:
        """Inputs of the network, float32, from stored examples with the channels last.

        Args:
            stored: (n, …, channels).
            told: the shape to name in an error message, if it is another.
        """
        fits = stored.ndim == len(self.stored_shape) + 1 and len(stored) > 0
        for size, wanted in zip(stored.shape[1:], self.stored_shape, strict=False):
            fits &= size == wanted if wanted is not None else size > 0
        # (n, side, 1) may be one image, or many without a channel axis: this is not guessed.
        if fits and self.stored_shape[-2] is None and stored.shape[-1] == 1:
            fits = stored.shape[-2] > COLOURS
        if fits:
            used = as_trained(self._data, stored, self._mean, self._std)
            if self._takes(used.shape[1:]):
                return used
        *sizes, channels = ("any" if size is None else size for size in self.stored_shape)
        form, where = [*sizes, channels], "last"
        if self.channels_first:
            form, where = [channels, *sizes], "first"
        raise DataError(
            f"the network takes examples of {times(form)} (channels {where}), several along the "
            f"first axis; got an array of {times(told or stored.shape)}"
        )

    def _takes(self, shape: tuple[int, ...]) -> bool:
        """Whether the network takes an input of this shape."""
        return shape == tuple(self._model.input_shape[1:])


def times(size: Any) -> str:
    """A size for people: 32×32."""
    return "×".join(map(str, size))
