"""Reads one image file with Pillow: its size, its pixels, or a plain line if it is unreadable."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import DataError

# Pillow's names; some of its other formats start programs. A phone's MPO is opened as JPEG.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif"),
    *(".webp", ".bmp", ".tif", ".tiff", ".gif"),
)
GREY = ("1", "L", "LA")  # Pillow's modes
BITS_PER_SAMPLE, ORIENTATION = 258, 0x0112
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap height and width


def header(file: Path) -> tuple[int, int, int]:
    """(h, w, c) of the result of `pixels`, without decoding the image; raises the same errors."""
    with _opened(file) as image:
        width, height = image.size
        # For a TIFF, Pillow already gives the size after rotation.
        if image.format != "TIFF" and image.getexif().get(ORIENTATION) in SIDEWAYS:
            width, height = height, width
        return height, width, 1 if image.mode in GREY else 3


def pixels(file: Path) -> NDArray[np.uint8]:
    """The first frame of an image, rotated upright according to its EXIF data.

    Returns:
        uint8 (h, w, 1) for a grey image, else (h, w, 3); transparency is dropped.

    Raises:
        DataError: it has more than 8 bits per channel, or it cannot be read; one plain line.
    """
    from PIL import ImageOps

    with _opened(file) as stored:
        image = ImageOps.exif_transpose(stored)
        picture = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    return picture if picture.ndim == 3 else picture[..., None]


def common_shape(files: list[Path], side: int | None) -> tuple[int, int, int]:
    """(h, w, c) of all images after reading; DataError if sizes differ and are not resized."""
    headers = [header(file) for file in files]
    (height, width), channels = headers[0][:2], max(header[2] for header in headers)
    for file, own in zip(files, headers, strict=True):
        if side is None and own[:2] != (height, width):
            raise DataError(
                f"the images differ in size: {files[0]} is {height}×{width} and {file} "
                f"{own[0]}×{own[1]}; set data.resize=<pixels>"
            )
    return (height, width, channels) if side is None else (side, side, channels)


def indices(file: Path) -> NDArray[np.uint8]:
    """The values of a mask: grey levels, or the indices of a palette, as they are stored.

    Returns:
        uint8 (h, w).

    Raises:
        DataError: it is a colour image, or as `pixels`.
    """
    with _opened(file) as image:
        if image.mode not in ("1", "L", "P"):
            raise DataError(
                f"{file} is a colour image; the pixels of a mask are the numbers of classes: grey "
                "levels or indices of a palette"
            )
        return np.asarray(image).astype(np.uint8)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """A Pillow image; errors inside the block become a DataError."""
    from PIL import Image

    try:
        with Image.open(file, formats=FORMATS) as image:
            if _is_deep(image):
                raise DataError(
                    f"{file} has more than 8 bits per channel, but only 8 would be read; "
                    "save it with 8, or use data=npz with the values of the whole set"
                )
            yield image
    except DataError:
        raise
    except Exception as error:  # Pillow and its decoders raise almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{file} cannot be read as an image with 8 bits per channel: {reason}; "
            "save it as PNG, or remove it from the folder"
        ) from None


def _is_deep(image: Any) -> bool:
    """Whether an image has more than 8 bits per channel; Pillow would silently read only 8."""
    if image.mode.startswith(("I", "F")):
        return True
    if image.format == "TIFF":
        return max(image.tag_v2.get(BITS_PER_SAMPLE, (1,))) > 8
    return image.format == "PNG" and any(";16" in str(tile[3]) for tile in image.tile)
