"""Predict with a finished run, from images and sequences in their stored form.

  python -m experiments.predict runs/<study>/<cell>/seed=0 picture.png more/*.jpg
  python -m experiments.predict runs/<study>/<cell>/seed=0 series.npy --top 1

A network takes normalised inputs and returns logits; this module takes pixels and returns class
names and probabilities. An .npy file holds one example, or several along its first axis. In
Python, from the checkout:

  from experiments.predict import load
  network = load("runs/<study>/<cell>/seed=0")
  network.predict(pixels), network.probabilities(pixels)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from conf.reader import ConfigError
from data import DataError
from data.loading import as_trained
from data.sources import image_files
from experiments import terminal
from experiments.run import finished
from experiments.run.record import files
from experiments.terminal import BAD, OK

BATCH = 256  # as in the run's own test, because another batch size rounds differently


class Network:
    """The trained network of a run, with its preprocessing: from stored values to classes.

    Attributes:
        class_names: in the order of the probabilities.
        stored_shape: of one example as the run's data set stores it, channels last; None for a
            size that may vary.
        stored_dtype: type of the stored values; None for a run that did not record it.
        takes_pixels: whether the values are pixels from 0 to 255, as in image files.
    """

    def __init__(self, directory: Path) -> None:
        run = finished.find(directory)
        trained, learned = finished.trained(run)
        finished.check_gives_classes(run, trained, "experiments.predict")
        self._model = finished.network(run, trained)
        self._data = trained.data
        self._mean, self._std = np.asarray(learned["mean"]), np.asarray(learned["std"])
        names, classes = learned.get("class_names"), self._model.output_shape[-1]
        if not isinstance(names, list) or len(names) != classes:
            told = f"it does not contain names for the {classes} classes of the network"
            raise files.DamagedError(run.directory / "data.json", told)
        self.class_names = tuple(map(str, names))
        *sizes, channels = self._model.input_shape[1:]
        if self._data.sequence:
            sizes = [None, None]
        elif self._data.resize is not None:
            sizes = [None] * len(sizes)
        stored = learned.get("stored_shape") or [*sizes, channels]
        if self._data.resize is not None:  # images of any size are resized to one
            stored = [*[None] * (len(stored) - 1), stored[-1]]
        self.stored_shape: tuple[int | None, ...] = tuple(stored)
        self.stored_dtype: str | None = learned.get("stored_dtype")
        # Only the values of an npz file can have any range; resized images are floats.
        self.takes_pixels = self._data.source != "npz" or self.stored_dtype in (None, "uint8")

    def probabilities(self, x: Any) -> np.ndarray:
        """The probability of every class.

        Args:
            x: examples as the data set stores them, neither resized nor normalised: images
                (n, height, width, channels) or sequences (n, time, channels), any real dtype;
                the last axis may be missing if there is one channel. The channels come first if
                the run was trained with data.layout=channels_first.

        Returns:
            float64 (n, classes), or (n, steps, classes) for a network with a class at each step.

        Raises:
            DataError: the examples do not fit the network.

        Example:
            >>> load("runs/default/<cell>/seed=0").probabilities(x_test).shape  # doctest: +SKIP
            (3000, 10)
        """
        stored = np.asarray(x)
        if stored.dtype.kind not in "buif":
            raise DataError(f"examples must be numbers; got an array of {stored.dtype}")
        if stored.ndim == len(self.stored_shape) + 1 and self._data.layout == "channels_first":
            stored = np.moveaxis(stored, 1, -1)
        elif stored.ndim == len(self.stored_shape) and self.stored_shape[-1] == 1:
            stored = stored[..., None]
        return self.of_stored(stored, np.shape(x))

    def of_stored(self, stored: np.ndarray, told: tuple[int, ...] | None = None) -> np.ndarray:
        """As `probabilities`, for examples with the channels last, whatever the run's layout.

        Args:
            stored: (n, …, channels).
            told: the shape to name in an error message, if it is another.
        """
        from experiments.run.evaluation.classes import softmax

        fits = stored.ndim == len(self.stored_shape) + 1 and len(stored) > 0
        for size, wanted in zip(stored.shape[1:], self.stored_shape, strict=False):
            fits &= size == wanted if wanted is not None else size > 0
        # (n, side, 1) may be one image, or many without a channel axis: this is not guessed.
        lone = stored.ndim == len(self.stored_shape) + 1 and stored.shape[-2] == 1
        if fits and not (lone and self.stored_shape[-2] is None):
            used = as_trained(self._data, stored, self._mean, self._std)
            if used.shape[1:] == tuple(self._model.input_shape[1:]):
                logits = self._model.predict(used, batch_size=BATCH, verbose=0)
                return softmax(np.asarray(logits, np.float64))
        raise DataError(
            f"the network takes examples of {self._takes()}, several along the first axis; got an "
            f"array of {_times(told or stored.shape)}"
        )

    def predict(self, x: Any) -> np.ndarray:
        """The name of the most probable class of every example: (n,) or (n, steps) strings.

        Arguments and errors as in `probabilities`.
        """
        return np.asarray(self.class_names)[self.probabilities(x).argmax(axis=-1)]

    @property
    def channels_first(self) -> bool:
        """Whether the run's arrays have the channels first."""
        return self._data.layout == "channels_first"

    def _takes(self) -> str:
        *sizes, channels = ("any" if size is None else size for size in self.stored_shape)
        if self.channels_first:
            return f"{_times([channels, *sizes])} (channels first)"
        return f"{_times([*sizes, channels])} (channels last)"


def load(directory: str | Path) -> Network:
    """The trained network of a finished run.

    Args:
        directory: of the run, as printed by its training.

    Raises:
        ConfigError: it is not a finished run, or one of its files is damaged; one plain line.

    Example:
        >>> load("runs/default/<cell>/seed=0").predict(pixels)  # doctest: +SKIP
    """
    return Network(Path(directory))


def examples(file: Path, network: Network) -> tuple[list[str], np.ndarray]:
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


def _of_array(file: Path, network: Network) -> tuple[list[str], np.ndarray]:
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


def _fitted(picture: np.ndarray, file: Path, network: Network) -> np.ndarray:
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
                f"{file} is {_times(picture.shape[:2])}; the run's images are {_times(size)}"
            )
        terminal.say(f"{file} is {_times(picture.shape[:2])} and is resized to {_times(size)}")
        picture = resize_images(picture[None], int(size[0] or 0))[0]
    return picture


def _times(size: Any) -> str:
    return "×".join(map(str, size))


def lines(name: str, probabilities: np.ndarray, names: tuple[str, ...], top: int) -> Iterator[str]:
    """The printed lines for one example: its `top` most probable classes; one line per step."""
    rows = probabilities if probabilities.ndim > 1 else probabilities[None]
    for step, row in enumerate(rows):
        label = name if probabilities.ndim == 1 else f"{name}, step {step - len(rows)}"
        best = np.argsort(-row, kind="stable")[:top]
        yield "   ".join([label, *(f"{names[i]} {100 * row[i]:.2f} %" for i in best)])


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    told, *more = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "python -m experiments.predict",
        description=told,
        epilog="".join(more),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="the directory that the training printed as results")
    parser.add_argument("files", type=Path, nargs="+", help="images, or arrays in .npy files")
    parser.add_argument("--top", type=int, default=3, help="number of classes to print; default 3")
    options = parser.parse_args(arguments)
    if options.top < 1:
        parser.error(f"--top must be at least 1; got {options.top}")
    try:
        network = load(options.run)
        for file in options.files:
            names, stored = examples(file, network)
            try:
                found = network.of_stored(stored)
            except DataError as mistake:
                raise DataError(f"{file}: {mistake}") from None
            for name, probabilities in zip(names, found, strict=True):
                for line in lines(name, probabilities, network.class_names, options.top):
                    terminal.say(line)
    except (ConfigError, DataError) as mistake:
        terminal.complain(str(mistake))
        return BAD
    return OK


if __name__ == "__main__":
    sys.exit(terminal.call(main))
