"""The examples in a user's files: images, and arrays in .npy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data import DataError
from data.sources import image_files
from experiments import terminal
from experiments.predict.trained_network import TrainedNetwork, times


def examples(file: Path, network: TrainedNetwork) -> tuple[list[str], np.ndarray]:
    """The examples in a file, which is an image or an array.

    Returns:
        A name for each example, and the examples (n, …, channels).

    Raises:
        DataError: it cannot be read, or does not fit the network.
    """
    if file.suffix.lower() == ".npy":
        return _of_array(file, network)
    if file.suffix.lower() not in image_files.SUFFIXES:
        raise DataError(
            f"{file}: only images ({', '.join(image_files.SUFFIXES)}) and arrays (.npy) can be read"
        )
    if not file.is_file():
        raise DataError(f"{file} is not a file")
    return [str(file)], _fitted(image_files.pixels(file), file, network)[None]


def _of_array(file: Path, network: TrainedNetwork) -> tuple[list[str], np.ndarray]:
    try:
        stored = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    rank, channels = len(network.stored_shape), network.stored_shape[-1]
    if stored.dtype.kind not in "buif" or not stored.size:
        raise DataError(
            f"{file} does not hold numbers but an array of {stored.dtype}, {stored.shape}"
        )
    if not rank - 1 <= stored.ndim <= rank + 1:
        raise DataError(f"{file} holds an array of {stored.shape}, which is not an example")
    where = 0 if network.channels_first else -1
    without = stored.ndim == rank - 1 or (stored.ndim == rank and stored.shape[where] != 1)
    if channels == 1 and without:
        stored = np.expand_dims(stored, where if where < 0 else stored.ndim - rank + 1)
    if network.channels_first and stored.ndim >= rank:
        stored = np.moveaxis(stored, stored.ndim - rank, -1)
    if network.stored_dtype == "uint8" and stored.dtype.kind in "bf" and stored.max() <= 1:
        terminal.say(f"{file}: no value is above 1, but the run's data range from 0 to 255")
    if stored.ndim == rank:
        return [str(file)], stored[None]
    return [f"{file}[{i}]" for i in range(len(stored))], stored


def _fitted(picture: np.ndarray, file: Path, network: TrainedNetwork) -> np.ndarray:
    """An image with the channels of the run's data and, if that is fixed, its size."""
    from PIL import Image

    from data.transforms import resize_images

    *size, channels = network.stored_shape
    if len(size) != 2:
        raise DataError(f"{file} is an image, but the run was trained on sequences")
    if not network.takes_pixels:
        raise DataError(
            f"{file} holds pixels from 0 to 255, but the run's data are {network.stored_dtype} in "
            "other units: use an .npy file in those units"
        )
    if channels == 3:
        picture = np.broadcast_to(picture, (*picture.shape[:2], 3))
    elif channels == 1 and picture.shape[-1] == 3:
        picture = np.asarray(Image.fromarray(picture).convert("L"))[..., None]
    if None not in size and picture.shape[:2] != tuple(size):
        if size[0] != size[1]:
            raise DataError(
                f"{file} is {times(picture.shape[:2])}; the run's images are {times(size)}"
            )
        terminal.say(f"{file} is {times(picture.shape[:2])} and is resized to {times(size)}")
        picture = resize_images(picture[None], int(size[0] or 0))[0]
    return picture
