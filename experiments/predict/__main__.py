"""Predict with a finished run, from images and sequences in their stored form.

  python -m experiments.predict runs/<study>/<cell>/seed=0 picture.png more/*.jpg
  python -m experiments.predict runs/<study>/<cell>/seed=0 series.npy --top 1
  python -m experiments.predict runs/<study>/<cell>/seed=0 photograph.png --out predicted --tile 256

A network takes normalised inputs and returns logits or normalised values; this command takes pixels
and gives classes with their probabilities, or images. An .npy file holds one example, or several
along its first axis.

A network that gives images writes <name>-predicted.png into the folder of --out, at the size of
the image itself, or enlarged under super-resolution. The pixels of a mask are the numbers of the
classes, as indices of a palette, and the shares of the most frequent ones are printed. The values
of a picture are rounded, and clipped to 0..255. For an .npy file, and where the values are no
pixels of 8 bits, it writes <name>-predicted.npy, unclipped. Under paddings such as valid less than
the image is predicted, and the line says which part of it.

In Python, from the checkout:

  from experiments.predict import load
  network = load("runs/<study>/<cell>/seed=0")
  network.predict(pixels), network.probabilities(pixels)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from conf.reader import ConfigError
from data import DataError
from experiments import terminal
from experiments.predict import ImageNetwork, Network, load, written_images
from experiments.predict.example_files import examples
from experiments.predict.trained_network import times
from experiments.run.record import files
from experiments.terminal import BAD, OK


def lines(name: str, probabilities: np.ndarray, names: tuple[str, ...], top: int) -> Iterator[str]:
    """The printed lines for one example: its `top` most probable classes; one line per step."""
    rows = probabilities if probabilities.ndim > 1 else probabilities[None]
    for step, row in enumerate(rows):
        label = name if probabilities.ndim == 1 else f"{name}, step {step - len(rows)}"
        best = np.argsort(-row, kind="stable")[:top]
        yield "   ".join([label, *(f"{names[i]} {100 * row[i]:.2f} %" for i in best)])


def classes(network: Network, inputs: list[Path], top: int) -> None:
    """Print the classes of the examples in the files."""
    for file in inputs:
        names, stored = examples(file, network)
        try:
            found = network.of_stored(stored)
        except DataError as mistake:
            raise DataError(f"{file}: {mistake}") from None
        for name, probabilities in zip(names, found, strict=True):
            for line in lines(name, probabilities, network.class_names, top):
                terminal.say(line)


def images(
    network: ImageNetwork, inputs: list[Path], top: int, folder: Path, tile: int | None
) -> None:
    """Write the images predicted from those in the files, and say where."""
    places = written_images.places(inputs, folder, network)
    files.check_writable(folder)
    for file, place in places.items():
        names, stored = examples(file, network)
        size = stored.shape[1:3]
        if network.resized is not None and size != network.trained_size:
            terminal.say(
                f"{file} is predicted at its own size, {times(size)}; the run's images were "
                f"resized to {times([network.resized] * 2)}"
            )
        try:
            found = network.of_stored(stored, tile=tile)
            part = _part(network, *size)
        except DataError as mistake:
            raise DataError(f"{file}: {mistake}") from None
        for name, mask in zip(names, found, strict=True) if network.class_names else ():
            shares = np.bincount(mask.ravel(), minlength=len(network.class_names)) / mask.size
            there = min(top, int(np.count_nonzero(shares)))
            for line in lines(name, shares, network.class_names, there):
                terminal.say(line)
        if network.channels_first and place.suffix == ".npy" and not network.class_names:
            found = np.moveaxis(found, -1, 1)
        single = names == [str(file)]
        written_images.write(place, found[0] if single else found)
        terminal.say(f"{file}   {part}, written to {place}")


def _part(network: ImageNetwork, height: int, width: int) -> str:
    """The size of what is predicted for an image, and where in it that lies if it is a part."""
    whole, part = network.whole(height, width), network.frame(height, width)
    told = times(size for _, size in part)
    if tuple(size for _, size in part) == whole:
        return told
    rows, columns = (f"{first} to {first + size - 1}" for first, size in part)
    return f"{told}, the rows {rows} and the columns {columns} of {times(whole)}"


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
    parser.add_argument(
        "--out", type=Path, help="where images are written; default the current folder"
    )
    parser.add_argument(
        "--tile", type=int, help="predict images in tiles of at most so many pixels a side"
    )
    options = parser.parse_args(arguments)
    for name, value in (("--top", options.top), ("--tile", options.tile)):
        if value is not None and value < 1:
            parser.error(f"{name} must be at least 1; got {value}")
    try:
        network = load(options.run)
        if isinstance(network, ImageNetwork):
            folder = options.out or Path()
            images(network, options.files, options.top, folder, options.tile)
            return OK
        for name in ("out", "tile"):
            if getattr(options, name) is not None:
                raise ConfigError(
                    f"--{name} is for images; the network of {options.run} gives classes"
                )
        classes(network, options.files, options.top)
    except (ConfigError, DataError) as mistake:
        terminal.complain(str(mistake))
        return BAD
    return OK


if __name__ == "__main__":
    sys.exit(terminal.call(main))
