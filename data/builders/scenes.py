"""The images of placed_digits: pure functions on arrays of many images.

Lengths are in pixels of the 32 x 32 canvas and positions are those of edges: the canvas
reaches from 0 to 32, and pixel i from i to i + 1. Drawings are the 8 x 8 digits, 0 to 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.builders import streams

Floats = NDArray[np.float64]

SIDE = 32
DRAWING = 8
SPLITS = {"train": 9000, "validation": 1000, "test": 3000}
SHARES = {"train": 0.6, "validation": 0.1, "test": 0.3}  # of the drawings
ENLARGE = (1.75, 2.25)  # canvas pixels per pixel of a drawing
HIDDEN = 0.3  # largest part of the box's height, and of its width, outside the canvas
INK = (80.0, 130.0)  # how much brighter than the background, in grey levels
# Ink of the digit, 0 to 1, above which a pixel is the digit's: loops stay open, and as drawings are
# in sixteenths, no rounding decides.
MASKED = 0.4
FRAGMENTS = 2
STROKES = 2
NOISE = 6.0  # standard deviation of the pixel noise, in grey levels


class Placement(NamedTuple):
    """Positions of drawings: `left` and `top` of the 8 x 8 grid, and its scale; all (n,)."""

    top: Floats
    left: Floats
    scale: Floats


def stream(*names: str) -> np.random.Generator:
    """A generator of this set's own for each purpose."""
    return streams.stream("placed_digits", *names)


def source_split(labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Indices of the drawings of each split; SHARES gives the proportions within every class."""
    rng = stream("sources")
    parts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in SHARES}
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        cuts = np.round(np.cumsum(list(SHARES.values()))[:-1] * len(members)).astype(int)
        for name, part in zip(SHARES, np.split(members, cuts), strict=True):
            parts[name].append(part)
    return {name: np.sort(np.concatenate(part)) for name, part in parts.items()}


def ink_box(drawings: Floats) -> NDArray[np.int64]:
    """(n, 4) rows top, bottom and columns left, right of the ink; bottom and right excluded."""
    rows, columns = drawings.max(axis=2) > 0.25, drawings.max(axis=1) > 0.25
    size = drawings.shape[1]
    return np.stack(
        [
            rows.argmax(axis=1),
            size - rows[:, ::-1].argmax(axis=1),
            columns.argmax(axis=1),
            size - columns[:, ::-1].argmax(axis=1),
        ],
        axis=1,
    )


def box_on_canvas(box: NDArray[np.int64], place: Placement) -> Floats:
    """(n, 4) edges top, bottom, left, right of the ink's bounding box on the canvas."""
    origin = np.stack([place.top, place.top, place.left, place.left], axis=1)
    return origin + box * place.scale[:, None]


def margins(edges: Floats) -> NDArray[np.float32]:
    """(n,) distance from the box to the nearest border, negative where the border cuts it."""
    top, bottom, left, right = edges.T
    return np.minimum.reduce([top, left, SIDE - bottom, SIDE - right]).astype(np.float32)


def draw_placements(
    rng: np.random.Generator, box: NDArray[np.int64], hidden: float = HIDDEN
) -> Placement:
    """Uniform positions at which at most a fraction `hidden` of height and width is outside."""
    scale = rng.uniform(*ENLARGE, size=len(box))
    corners = []
    for low, high in ((box[:, 0], box[:, 1]), (box[:, 2], box[:, 3])):
        length = (high - low) * scale
        edge = rng.uniform(-hidden * length, SIDE - (1 - hidden) * length)
        corners.append(edge - low * scale)
    return Placement(corners[0], corners[1], scale)


def interpolation(origin: Floats, scale: Floats, size: int) -> Floats:
    """(n, SIDE, size) linear weights from a drawing's pixels to the canvas', zero outside."""
    position = (np.arange(SIDE) + 0.5 - origin[:, None]) / scale[:, None] - 0.5
    return np.maximum(1.0 - np.abs(position[..., None] - np.arange(size)), 0.0)


def render(drawings: Floats, place: Placement) -> Floats:
    """(n, SIDE, SIDE) the enlarged drawings on an empty canvas, 0 to 1."""
    rows = interpolation(place.top, place.scale, drawings.shape[1])
    columns = interpolation(place.left, place.scale, drawings.shape[2])
    return rows @ drawings @ columns.transpose(0, 2, 1)


def backgrounds(rng: np.random.Generator, n: int) -> Floats:
    """(n, SIDE, SIDE) grey levels: a level, a gradient in any direction, smooth noise."""
    axis = np.linspace(-1.0, 1.0, SIDE)
    angle, slope = rng.uniform(0, 2 * np.pi, n), rng.uniform(10.0, 35.0, n)
    down = (slope * np.sin(angle))[:, None, None] * axis[:, None]
    across = (slope * np.cos(angle))[:, None, None] * axis[None, :]
    level = rng.uniform(55.0, 105.0, n)[:, None, None]
    # Noise on a coarse grid, interpolated: cells of 4 to 6 pixels.
    grid = rng.normal(size=(n, 10, 10))
    cell, shift = rng.uniform(4.0, 6.0, n), rng.uniform(-6.0, -2.0, (2, n))
    texture = render(grid, Placement(shift[0], shift[1], cell))
    return level + down + across + 14.0 * texture


def strokes(rng: np.random.Generator, n: int) -> Floats:
    """(n, SIDE, SIDE) one straight soft line of 5 to 10 pixels each, 0 to 1, anywhere."""
    centre, angle = rng.uniform(0, SIDE, (2, n, 1, 1)), rng.uniform(0, np.pi, (n, 1, 1))
    half, width = rng.uniform(2.5, 5.0, (n, 1, 1)), rng.uniform(0.7, 1.2, (n, 1, 1))
    axis = np.arange(SIDE) + 0.5
    y, x = axis[:, None] - centre[0], axis[None, :] - centre[1]
    along = x * np.cos(angle) + y * np.sin(angle)
    beside = x * np.sin(angle) - y * np.cos(angle)
    beyond = np.maximum(np.abs(along) - half, 0.0)
    return np.clip(1.5 - np.hypot(beyond, beside) / width, 0.0, 1.0)


def fragments(rng: np.random.Generator, drawings: Floats, n: int) -> Floats:
    """(n, SIDE, SIDE) a 4 x 4 piece of some drawing each, enlarged, 0 to 1, anywhere."""
    which, corner = rng.integers(len(drawings), size=n), rng.integers(0, 5, (2, n))
    inside = np.arange(4)
    pieces = drawings[
        which[:, None, None],
        (corner[0][:, None] + inside)[:, :, None],
        (corner[1][:, None] + inside)[:, None, :],
    ]
    scale = rng.uniform(*ENLARGE, size=n)
    top, left = rng.uniform(-4.0, SIDE - 4.0, (2, n))
    return render(pieces, Placement(top, left, scale))


def masks(ink: Floats, labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(n, SIDE, SIDE) 1 + the digit where its ink (n, SIDE, SIDE) is, 0 elsewhere; labels (n,)."""
    return np.where(ink > MASKED, 1 + labels[:, None, None], 0).astype(np.uint8)


def make_split(
    name: str, drawings: Floats, labels: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    """The columns of one split.

    Args:
        name: train, validation or test.
        drawings: (1797, 8, 8), 0 to 1.
        labels: (1797,).

    Returns:
        image uint8 (n, 32, 32, 1), label int64 (n,), margin float32 (n,), source_id int64 (n,),
        mask uint8 (n, 32, 32).
    """
    rng, n, pool = stream(name), SPLITS[name], source_split(labels)[name]
    # Every drawing is used equally often, to within one, in random order.
    ids = rng.permutation(np.resize(rng.permutation(pool), n))
    box = ink_box(drawings[ids])
    place = draw_placements(rng, box)
    canvas = backgrounds(rng, n)
    clutter = [strokes(rng, n) for _ in range(STROKES)]
    clutter += [fragments(rng, drawings[pool], n) for _ in range(FRAGMENTS)]
    for shape in clutter:
        canvas += shape * rng.uniform(*INK, n)[:, None, None] * 0.75
    ink = render(drawings[ids], place)
    canvas += ink * rng.uniform(*INK, n)[:, None, None]
    canvas += rng.normal(scale=NOISE, size=canvas.shape)
    return {
        "image": np.clip(np.rint(canvas), 0, 255).astype(np.uint8)[..., None],
        "label": labels[ids].astype(np.int64),
        "margin": margins(box_on_canvas(box, place)),
        "source_id": ids.astype(np.int64),
        "mask": masks(ink, labels[ids]),
    }
