"""Predict with a finished run, from images and sequences as they are stored.

  python -m experiments.predict runs/<study>/<cell>/seed=0 picture.png more/*.jpg
  python -m experiments.predict runs/<study>/<cell>/seed=0 series.npy --top 1

A network takes inputs in the units of its training data and gives logits; this takes pixels and
gives class names with probabilities. An .npy file holds one example, or several along its first
axis. In Python, from the checkout:

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
from experiments.terminal import BAD, OK

BATCH = 256  # as the run's own test: another size rounds otherwise


class Network:
    """A run's trained network, from stored values to classes.

    Attributes:
        class_names: in the order of the probabilities.
        input_shape: of one example as the network gets it, (height, width, channels) or
            (time, channels).
    """

    def __init__(self, directory: Path) -> None:
        run = finished.find(directory)
        self._trained, self._learned = finished.trained(run)
        self._model = finished.network(run, self._trained)
        self.input_shape: tuple[int, ...] = tuple(self._model.input_shape[1:])
        self.class_names = tuple(map(str, self._learned["class_names"]))

    @property
    def resize(self) -> int | None:
        """The side to which the run brought its images, whatever their size."""
        return self._trained.data.resize

    def probabilities(self, x: Any) -> np.ndarray:
        """The probability of every class.

        Args:
            x: examples as the data set stores them, neither resized nor normalised: images
                (n, height, width, channels) or sequences (n, time, channels), any real dtype;
                without the last axis where there is one channel. Channels come first where the
                run was trained with data.layout=channels_first.

        Returns:
            float64 (n, classes), or (n, steps, classes) of a network with a class for each step.

        Raises:
            DataError: the examples do not fit the network.

        Example:
            >>> load("runs/default/<cell>/seed=0").probabilities(x_test).shape  # doctest: +SKIP
            (3000, 10)
        """
        cfg, learned = self._trained.data, self._learned
        stored = np.asarray(x)
        if stored.dtype.kind not in "buif":
            raise DataError(f"examples are numbers; got an array of {stored.dtype}")
        rank = 4 if cfg.sequence else 1 + len(self.input_shape)
        channels = self.input_shape[-1]
        if stored.ndim == rank - 1 and channels == 1:
            stored = stored[..., None]
        elif cfg.layout == "channels_first" and stored.ndim == rank:
            stored = np.moveaxis(stored, 1, -1)
        if stored.ndim == rank and stored.shape[-1] == channels and len(stored):
            mean, std = np.asarray(learned["mean"]), np.asarray(learned["std"])
            used = as_trained(cfg, stored, mean, std)
            if used.shape[1:] == self.input_shape:
                return self._of_inputs(used)
        takes = " × ".join(map(str, self.input_shape))
        raise DataError(f"the network takes examples of {takes} (channels last); got {np.shape(x)}")

    def predict(self, x: Any) -> np.ndarray:
        """The most probable class of every example, by name: (n,) or (n, steps) text.

        Args and errors as of `probabilities`.
        """
        return np.asarray(self.class_names)[self.probabilities(x).argmax(axis=-1)]

    def _of_inputs(self, x: np.ndarray) -> np.ndarray:
        from experiments.run.evaluation import softmax

        logits = self._model.predict(x, batch_size=BATCH, verbose=0)
        return softmax(np.asarray(logits, np.float64))


def load(directory: str | Path) -> Network:
    """The trained network of a finished run.

    Args:
        directory: of the run, as its training printed it.

    Raises:
        ConfigError: it is no finished run, or a file of it is damaged; one plain line.

    Example:
        >>> load("runs/default/<cell>/seed=0").predict(pixels)  # doctest: +SKIP
    """
    return Network(Path(directory))


def examples(file: Path, network: Network) -> Iterator[tuple[str, np.ndarray]]:
    """The examples of a file, each with a name: an image, or the array of an .npy file.

    Raises:
        DataError: it cannot be read, or does not fit the network.
    """
    if file.suffix.lower() == ".npy":
        yield from _of_array(file, network)
    elif file.suffix.lower() in image_files.SUFFIXES:
        yield str(file), _fitted(image_files.pixels(file), file, network)
    else:
        raise DataError(
            f"{file}: images ({', '.join(image_files.SUFFIXES)}) and arrays (.npy) are read"
        )


def _of_array(file: Path, network: Network) -> Iterator[tuple[str, np.ndarray]]:
    try:
        stored = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    single = stored.ndim == len(network.input_shape) and network.input_shape[-1] != 1
    single |= stored.shape == network.input_shape or stored.ndim == len(network.input_shape) - 1
    if single:
        yield str(file), stored
        return
    for i, one in enumerate(stored):
        yield f"{file}[{i}]", one


def _fitted(picture: np.ndarray, file: Path, network: Network) -> np.ndarray:
    """A picture with the network's channels and, where no resize was asked for, its size."""
    from PIL import Image

    from data.transforms import resize_images

    channels = network.input_shape[-1]
    if channels == 3:
        picture = np.broadcast_to(picture, (*picture.shape[:2], 3))
    elif channels == 1 and picture.shape[-1] == 3:
        picture = np.asarray(Image.fromarray(picture).convert("L"))[..., None]
    *size, _ = network.input_shape
    if network.resize is None and len(size) == 2 and picture.shape[:2] != tuple(size):
        if size[0] != size[1]:
            raise DataError(
                f"{file} is {_times(picture.shape[:2])}; the network takes {_times(size)}"
            )
        terminal.say(f"{file} is {_times(picture.shape[:2])} and is brought to {_times(size)}")
        picture = resize_images(picture[None], size[0])[0]
    return picture


def _times(size: Any) -> str:
    return "×".join(map(str, size))


def lines(name: str, probabilities: np.ndarray, names: tuple[str, ...], top: int) -> Iterator[str]:
    """What is told of one example: its `top` most probable classes; a line a step."""
    rows = probabilities if probabilities.ndim > 1 else probabilities[None]
    for step, row in enumerate(rows):
        label = name if probabilities.ndim == 1 else f"{name}, step {step - len(rows)}"
        best = np.argsort(-row, kind="stable")[:top]
        yield "   ".join([label, *(f"{names[i]} {100 * row[i]:.2f} %" for i in best)])


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    told, *more = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "python -m experiments.predict",
        description=told,
        epilog="".join(more),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="the directory that a training printed as results")
    parser.add_argument("files", type=Path, nargs="+", help="images, or arrays in .npy files")
    parser.add_argument("--top", type=int, default=3, help="how many classes to name; 3")
    options = parser.parse_args(arguments)
    if options.top < 1:
        parser.error(f"--top must be at least 1; got {options.top}")
    try:
        network = load(options.run)
        for file in options.files:
            for name, example in examples(file, network):
                (found,) = network.probabilities(example[None])
                for line in lines(name, found, network.class_names, options.top):
                    terminal.say(line)
    except (ConfigError, DataError) as mistake:
        terminal.complain(str(mistake))
        return BAD
    return OK


if __name__ == "__main__":
    sys.exit(terminal.call(main))
