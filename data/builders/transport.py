"""The fields of advection and advection_walls: pure functions on arrays of many fields.

They solve du/dt + v . grad u = D laplace u exactly, each wave by itself, on a grid of 32 x 32
cells. Lengths are in cells, which are the pixels, and velocities in cells a step. Left and right
meet. Above and below do too (the torus), or are insulated walls, through which nothing flows: then
the waves down the rows are cosines, even about the walls, which lie on the outer edges of the first
and of the last row (a half-sample even extension, NumPy's `symmetric`).
"""

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from data.builders.streams import stream

Floats = NDArray[np.float64]

SIDE = 32
SPLITS = {"train": 2000, "validation": 200, "test": 500}
LENGTH = 2.0  # of the initial fields' correlation exp(-r^2 / (2 LENGTH^2)), in cells
SPREAD = 0.8  # sqrt(2 D t), by which a point has spread after the step, in cells
GRAIN = 2.0**-12  # to which stored values are rounded


def wave_numbers(walls: bool) -> tuple[Floats, Floats]:
    """(SIDE, 1) and (1, SIDE) wave numbers, down and to the right, in radians a cell."""
    periodic: Floats = 2 * np.pi * np.fft.fftfreq(SIDE).astype(np.float64)
    down: Floats = np.pi * np.arange(SIDE) / SIDE if walls else periodic
    return down[:, None], periodic[None, :]


def to_waves(u: Floats, walls: bool) -> NDArray[np.complex128]:
    """(n, SIDE, SIDE) amplitudes of the waves of fields of that shape."""
    if walls:
        return np.fft.fft(scipy.fft.dct(u, type=2, norm="ortho", axis=1), axis=2)
    return np.fft.fft2(u)


def from_waves(waves: NDArray[np.complex128], walls: bool) -> Floats:
    """The fields of these waves: the inverse of `to_waves`."""
    if walls:
        return scipy.fft.idct(np.fft.ifft(waves, axis=2).real, type=2, norm="ortho", axis=1)
    return np.fft.ifft2(waves).real


def random_fields(rng: np.random.Generator, n: int, walls: bool) -> Floats:
    """(n, SIDE, SIDE) Gaussian random fields: mean 0, variance 1 over all cells and fields."""
    down, across = wave_numbers(walls)
    amplitude = np.exp(-(LENGTH**2) * (down**2 + across**2) / 4)
    # The finest wave of an even number of cells cannot be moved by a part of a cell.
    amplitude = np.where((np.abs(down) < np.pi) & (np.abs(across) < np.pi), amplitude, 0.0)
    amplitude /= np.sqrt((amplitude**2).mean())
    return from_waves(amplitude * to_waves(rng.normal(size=(n, SIDE, SIDE)), walls), walls)


def after(u: Floats, velocity: tuple[float, float], spread: float, walls: bool) -> Floats:
    """Return the fields after they have moved and spread.

    Args:
        u: (n, SIDE, SIDE) fields.
        velocity: cells by which they move down and to the right; with walls the first is 0.
        spread: standard deviation of the Gaussian to which a point diffuses, in cells.
        walls: whether there are walls above and below.

    Raises:
        ValueError: a velocity through the walls.

    Example:
        `after(u, (0, 1), 0, walls=False)` is `np.roll(u, 1, axis=2)`.
    """
    if walls and velocity[0]:
        raise ValueError(f"nothing flows through walls: the velocity is {velocity}")
    down, across = wave_numbers(walls)
    moved = np.exp(-1j * (velocity[0] * down + velocity[1] * across))
    kept = np.exp(-0.5 * spread**2 * (down**2 + across**2))
    return from_waves(moved * kept * to_waves(u, walls), walls)


def rounded(u: Floats) -> NDArray[np.float32]:
    """(n, SIDE, SIDE, 1) as stored: multiples of GRAIN, which float32 holds exactly.

    Processors differ in the last bits of a transform, and this takes them away: of some millions of
    values, none is likely to lie so near the middle between two multiples that they decide.
    """
    return (np.rint(u / GRAIN) * GRAIN).astype(np.float32)[..., None]


def make_splits(
    name: str, velocity: tuple[float, float], walls: bool
) -> dict[str, dict[str, NDArray[Any]]]:
    """The splits of the set of this name.

    Returns:
        image float32 (n, 32, 32, 1), the field; target float32 of that shape, the stored field
        after a step; source_id int64 (n,), the field's number.
    """
    splits: dict[str, dict[str, NDArray[Any]]] = {}
    first = 0
    for split, n in SPLITS.items():
        image = rounded(random_fields(stream(name, split), n, walls))
        target = rounded(after(image[..., 0].astype(np.float64), velocity, SPREAD, walls))
        splits[split] = {
            "image": image,
            "target": target,
            "source_id": np.arange(first, first + n, dtype=np.int64),
        }
        first += n
    return splits
