"""A prediction in windows that equals the prediction of the whole image."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from .cover import Cover, Place
from .halo import cover_image
from .tiled_network import AXES, TileError, followed_image

Window = tuple[Place, ...]


def predict_tiled(
    model: keras.Model,
    image: Any,
    *,
    tile: int | Sequence[int],
    batch_size: int = 4,
) -> np.ndarray:
    """Predict a large image in windows, and give what the whole image would.

    Every window lies within the image, and what a layer's padding has reached inside the image is
    dropped: the network's own padding is used at the image's border and nowhere else. Windows are
    all of one size, overlap by at least `padzoo.halo(model).overlap`, and no more than `batch_size`
    of them are in the network at once. On a CPU the result is the whole prediction's to the last
    bit where the back end computes a convolution of either size in the same order, and else to its
    rounding; docs/tiles.md says where.

    Args:
        model: functional or built sequential, from one image to one; of any size of input, or
            built for a size that leaves the same remainder by the period of the strides as the
            image's.
        image: (*spatial, channels), or a batch of them, (batch, *spatial, channels), as arrays.
        tile: the most pixels that a window may have on an axis; one number, or one per axis. A
            multiple of `halo(model).grid`, at least `halo(model).smallest`; an axis that is no
            longer is not cut.
        batch_size: windows that are predicted at once.

    Returns:
        The network's output, (*output, channels), or (batch, *output, channels) of a batch.

    Raises:
        TileError: for a network that has no halo, an image or a tile that does not fit it.
        TraceError: as `padzoo.trace`.

    Example:
        >>> inputs = keras.Input((64, 64, 3))
        >>> model = keras.Model(inputs, padzoo.Conv2D(2, 5, padding="reflect")(inputs))
        >>> image = np.ones((300, 200, 3), "float32")
        >>> padzoo.predict_tiled(model, image, tile=128).shape
        (300, 200, 2)
    """
    images = _read(model, image)
    if type(batch_size) is not int or batch_size < 1:
        raise TileError(f"`batch_size` must be an int from 1 on. Received: {batch_size=}")
    covers = cover_image(model, images.shape[1:-1], tile)
    _check_within(model, [cover.window for cover in covers])
    predicted = _predicted(_AtAnySize(model), images, covers, batch_size)
    return predicted if np.ndim(image) == images.ndim else predicted[0]


def _read(model: keras.Model, image: Any) -> np.ndarray:
    """Return a batch of images."""
    _, own = followed_image(model)
    channels, rank = model.inputs[0].shape[-1], len(own)
    layout = "(" + ", ".join([*AXES[rank], "channels"]) + ")"
    try:
        images = np.asarray(image)
    except ValueError:  # lists of several lengths
        images = np.empty((), object)
    if images.dtype == object or images.ndim not in (rank + 1, rank + 2):
        raise TileError(
            f"The image must be an array {layout}, or a batch of them. Received: "
            f"{type(image).__name__} of shape {images.shape}"
        )
    if channels is not None and images.shape[-1] != channels:
        raise TileError(
            f"The network takes images of {channels} channel{'s' * (channels != 1)}, {layout}. "
            f"Received: shape={images.shape}"
        )
    if 0 in images.shape:
        raise TileError(f"The image has no pixel. Received: shape={images.shape}")
    return images if images.ndim == rank + 2 else images[None]


def _check_within(model: keras.Model, window: Sequence[int]) -> None:
    """Raise TileError if a model within the network takes another size than a window has."""
    if list(window) == list(model.inputs[0].shape[1:-1]):
        return
    for layer in model.layers:
        if not isinstance(layer, keras.Model):
            continue
        sizes = layer.inputs[0].shape[1:-1]
        if any(size is not None for size in sizes):
            raise TileError(
                f"The network holds a model of a fixed size, '{layer.name}', and windows have "
                f"another: build it with keras.Input(({', '.join(['None'] * len(sizes))}, "
                f"channels)). Received: {tuple(sizes)}"
            )
        _check_within(layer, window)


def _predicted(
    network: _AtAnySize, images: np.ndarray, covers: Sequence[Cover], batch_size: int
) -> np.ndarray:
    """Predict all windows of all images, and put together what is taken of each."""
    windows = itertools.product(
        range(len(images)), itertools.product(*(cover.places for cover in covers))
    )
    outputs: np.ndarray | None = None
    for batch in _batches(windows, batch_size):
        pixels = np.stack([images[i][_slices(window, covers)] for i, window in batch])
        # The last batch is as large as the others: one network is compiled, not two.
        missing = batch_size - len(batch) if outputs is not None else 0
        filled = np.concatenate([pixels, np.repeat(pixels[-1:], missing, axis=0)])
        (given,) = keras.tree.flatten(network.predict_on_batch(filled))
        if outputs is None:
            sizes = [cover.outputs for cover in covers]
            outputs = np.empty((len(images), *sizes, given.shape[-1]), given.dtype)
        for (i, window), piece in zip(batch, given[: len(batch)], strict=True):
            into = tuple(slice(*place.outputs) for place in window)
            outputs[i][into] = piece[tuple(slice(*place.within) for place in window)]
    assert outputs is not None
    return outputs


def _batches(
    windows: Iterator[tuple[int, Window]], size: int
) -> Iterator[list[tuple[int, Window]]]:
    while batch := list(itertools.islice(windows, size)):
        yield batch


def _slices(window: Window, covers: Sequence[Cover]) -> tuple[slice, ...]:
    axes = zip(window, covers, strict=True)
    return tuple(slice(place.start, place.start + cover.window) for place, cover in axes)


class _AtAnySize(keras.Model):
    """A network, its layers and weights, at inputs of other sizes than that of its own input.

    The layers take their maps as they come; it is the network's `input_spec` that does not.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__(
            name=network.name, autocast=False
        )  # the network casts its input as it needs it
        self.network = network

    def call(self, inputs: Any) -> Any:
        """Run the network as it predicts: (batch, *spatial, channels) -> its output."""
        return self.network.call(inputs, training=False)
