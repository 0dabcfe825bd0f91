"""Predicted images as files: PNG for masks and for pictures of 8 bits, .npy for other values."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data import DataError
from experiments.predict.image_network import ImageNetwork
from experiments.run.record import files

ENDING = "-predicted"
MOST_CLASSES = 256  # of a palette


def places(inputs: Sequence[Path], folder: Path, network: ImageNetwork) -> dict[Path, Path]:
    """Where the prediction of each file is written: folder/<name>-predicted.png, or .npy.

    Raises:
        DataError: a file would be written over one of the inputs, or over another's prediction.
    """
    read = {file.resolve(): file for file in inputs}
    found: dict[Path, Path] = {}
    for file in read.values():
        place = folder / f"{file.stem}{ENDING}{_suffix(file, network)}"
        if place.resolve() in read:
            raise DataError(
                f"the prediction of {file} would be written over {read[place.resolve()]}, which is "
                "one of the inputs: name another folder by --out"
            )
        for other, taken in found.items():
            if taken == place:
                raise DataError(
                    f"the predictions of {other} and {file} would both be written to {place}: "
                    "predict them one by one, with another folder by --out"
                )
        found[file] = place
    return found


def write(place: Path, predicted: np.ndarray) -> None:
    """Write masks or pictures as the ending of their place says.

    Args:
        predicted: one image (height, width) or (height, width, channels); of an .npy file perhaps
            several. In a PNG, values of a picture are rounded and clipped to 0..255, and the
            pixels of a mask are the numbers of the classes, as indices of a palette.
    """
    buffer = io.BytesIO()
    if place.suffix == ".npy":
        np.save(buffer, predicted, allow_pickle=False)
    else:
        from PIL import Image

        if mask := predicted.ndim == 2:
            pixels = predicted.astype(np.uint8)
        else:
            pixels = np.clip(predicted.round(), 0, 255).astype(np.uint8)
            pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        image = Image.fromarray(pixels)
        if mask:
            image.putpalette(colours())
        image.save(buffer, "png")
    files.write(place, buffer.getvalue())


def colours() -> list[int]:
    """Red, green and blue of 256 classes, far apart for the first; class 0 is black.

    The colour map of the masks of PASCAL VOC (Everingham et al. 2010, "The Pascal visual object
    classes (VOC) challenge"): the bits of a class, three at a time, are the highest bits of a
    colour.

    Example:
        >>> colours()[:9]
        [0, 0, 0, 128, 0, 0, 0, 128, 0]
    """
    return [
        sum((index >> 3 * bit + channel & 1) << 7 - bit for bit in range(8))
        for index in range(MOST_CLASSES)
        for channel in range(3)
    ]


def _suffix(file: Path, network: ImageNetwork) -> str:
    """Arrays become arrays; images become images if these can hold what is predicted."""
    if network.class_names:
        fits = len(network.class_names) <= MOST_CLASSES
    else:
        fits = network.gives_pixels and network.channels in (1, 3)
    return ".png" if fits and file.suffix.lower() != ".npy" else ".npy"
