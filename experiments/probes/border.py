"""Border response: how a convolution's mean output differs near the border of its feature map.

Alsallakh et al., "Mind the pad", ICLR 2021 (arXiv:2010.02178), show that padding leaves lines along
the borders of mean feature maps. Here the output of each convolution is averaged over examples and,
for distance 0, 1, 2, … from the nearest border, over the ring of pixels at that distance. The
response of a channel is (mean on the ring - mean of the interior) / sd of the interior, with the sd
over examples and interior positions: the natural spread of that channel, whatever the number of
examples. A layer's response is the root mean square over channels, so that signs do not cancel. Its
noise is the root mean square of the standard errors over examples, the response to expect if the
border had no effect.

Outputs are taken before normalisation and activation: normalisation only scales a channel, which
does not change a response in sd, but a ReLU would hide negative values. The interior is the middle
of a map, from a quarter of its shorter side on, but at most from a distance of `RINGS`; effects of
the border deeper inside count as interior. The responses of the four sides leave out the corners;
they are separate because SAME pads one side only at many strides.

Images themselves differ near their border, because objects are usually in the middle. So everything
is measured twice: on the unchanged images, and on images that are each shifted circularly by a
random offset. In the latter any content is equally likely at any position, so the response of the
input is only noise, as is that of every layer under `circular` whose stride divides its map; a
response under another padding is due to the padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from experiments.probes.shared import looking
from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from models.geometry.tracing.trace import Row

MEASURES = "mean activation by distance to the border, layer by layer"
EXAMPLES = 256
RINGS = 12
LEAST = 4  # a smaller map has no interior
TOLD = 4  # number of distances in the values
SIDES = {1: ("start", "end"), 2: ("top", "bottom", "left", "right")}
LINES = 8
MOST_TOLD = 6


@dataclass(frozen=True)
class Response:
    """The response of one feature map by channel, for distances up to the interior.

    rings: (distances, channels), the mean output at each distance from the nearest border.
    sides: (sides, channels), the mean output at the first pixel from each side, without corners.
    interior, sd: (channels,), over examples and interior positions.
    errors: (distances + sides, channels), standard errors of ring - interior over examples.
    """

    rings: np.ndarray
    sides: np.ndarray
    interior: np.ndarray
    sd: np.ndarray
    errors: np.ndarray

    def in_sd(self, values: np.ndarray) -> np.ndarray:
        """Return the differences from the interior in units of its sd, for channels that vary."""
        lives = self.sd > 1e-6 * np.abs(self.interior).max(initial=0)
        z = (values - self.interior)[:, lives] / self.sd[lives]
        return z.astype(np.float32)


def probe(subject: Subject) -> Measured:
    """Measure the response of the input and of every convolution with a window.

    Returns:
        values: `pictures` and `rolled`; in each, for every layer, `distances`, the response at 0,
            1, … from the border, `noise`, and `sides`, the response at each side's first pixel;
            None if a map does not vary. maps: `<layer>` and `<layer>_rolled`, the response of
            each channel, (distances, channels).

    Raises:
        NotApplicableError: if no map is large enough to have an interior.
    """
    names = [row.name for row in subject.layers if _has_interior(row)]
    if not names:
        raise NotApplicableError(f"border needs a feature map of at least {LEAST} pixels")
    x, _ = looking.sample(subject.loaded.test, EXAMPLES, subject.seed)
    pictures = of_layers(subject, names, x)
    moved = of_layers(subject, names, rolled(x, subject.seed))
    values = {
        "pictures": {name: told(response) for name, response in pictures.items()},
        "rolled": {name: told(response) for name, response in moved.items()},
    }
    arrays = {name: one.in_sd(one.rings) for name, one in pictures.items()}
    arrays |= {f"{name}_rolled": one.in_sd(one.rings) for name, one in moved.items()}
    return Measured(values, picture(pictures, moved), arrays, _line(values["rolled"]))


def _line(rolled: dict[str, Any]) -> str:
    """The response of each convolution at the outermost pixels, on rolled images."""
    told = {name: one["distances"][0] for name, one in rolled.items() if name != "input"}
    known = [f"{name} {first:.2f}" for name, first in told.items() if first is not None]
    shown = known if len(known) <= MOST_TOLD else [*known[:2], "…", *known[-2:]]
    return f"first pixel, sd: {'   '.join(shown) or 'nothing varies'}"


def _has_interior(row: Row) -> bool:
    sizes = [size or 0 for size in row.output_size]
    return "Conv" in row.type and max(row.kernel_size) > 1 and min(sizes, default=0) >= LEAST


def rolled(x: np.ndarray, seed: int) -> np.ndarray:
    """Shift every example (*spatial, channels) circularly by a random offset on each axis."""
    axes = tuple(range(x.ndim - 2))
    rng = np.random.default_rng(seed)
    steps = [rng.integers(n, size=len(x)) for n in x.shape[1:-1]]
    return np.stack([np.roll(one, by, axes) for one, *by in zip(x, *steps, strict=True)])


def of_layers(subject: Subject, names: Sequence[str], x: np.ndarray) -> dict[str, Response]:
    """Measure examples x themselves, as `input`, and the named layers' outputs for them."""
    gathered: list[Any] = [Gathered() for _ in names]
    for batch in looking.activations(subject.model, names, x, linear=True):
        for one, outputs in zip(gathered, batch, strict=True):
            one.add(outputs)
    found = {"input": measure([x])} if min(x.shape[1:-1]) >= LEAST else {}
    return found | {name: one.response() for name, one in zip(names, gathered, strict=True)}


def measure(batches: Iterable[np.ndarray]) -> Response:
    """Return the response of feature maps (n, *spatial, channels)."""
    gathered = Gathered()
    for outputs in batches:
        gathered.add(outputs)
    return gathered.response()


class Gathered:
    """Sums over batches of each example's means over rings, sides and interior."""

    def __init__(self) -> None:
        self.means: list[np.ndarray] = []
        self.squares: list[np.ndarray] = []

    def add(self, outputs: np.ndarray) -> None:
        """Add feature maps (n, *spatial, channels)."""
        size = outputs.shape[1:-1]
        flat = outputs.reshape(len(outputs), -1, outputs.shape[-1]).astype(np.float64)
        weights = regions(size)
        self.rank = len(size)
        self.means.append(weights @ flat)
        self.squares.append(weights[-1] @ np.square(flat))

    def response(self) -> Response:
        """Return the response over all batches."""
        means, squares = np.concatenate(self.means), np.concatenate(self.squares)
        interior = means[:, -1].mean(axis=0)
        variance = squares.mean(axis=0) - np.square(interior)
        difference = means[:, :-1] - means[:, -1:]
        errors = difference.std(axis=0, ddof=min(1, len(means) - 1)) / np.sqrt(len(means))
        mean, sides = means.mean(axis=0)[:-1], 2 * self.rank
        sd = np.sqrt(np.maximum(variance, 0))
        return Response(mean[:-sides], mean[-sides:], interior, sd, errors)


def regions(size: Sequence[int]) -> np.ndarray:
    """Return weights that average a flattened map over rings by distance, sides, and interior.

    Returns:
        (rings + sides + 1, positions), each row with sum 1; sides in the order of `SIDES`.
    """
    begins = min(max(1, min(size) // 4), RINGS)
    to_start = np.meshgrid(*map(np.arange, size), indexing="ij")
    to_end = [n - 1 - place for n, place in zip(size, to_start, strict=True)]
    nearest = np.min([*to_start, *to_end], axis=0)
    parts = [nearest == distance for distance in range(begins)]
    for axis in range(len(size)):
        others = [np.minimum(to_start[i], to_end[i]) for i in range(len(size)) if i != axis]
        middle = np.all([other >= begins for other in others], axis=0)
        parts += [(place[axis] == 0) & middle for place in (to_start, to_end)]
    rows = np.stack([*parts, nearest >= begins]).reshape(len(parts) + 1, -1)
    return rows / rows.sum(axis=1, keepdims=True)


def _rms(z: np.ndarray) -> list[float | None]:
    if not z.shape[1]:
        return [None] * len(z)
    return [float(value) for value in np.sqrt(np.square(z).mean(axis=1))]


def told(response: Response) -> dict[str, Any]:
    """Return the plain values of a response."""
    sides = SIDES[len(response.sides) // 2]
    error = response.in_sd(response.interior + response.errors[:1])
    return {
        "distances": _rms(response.in_sd(response.rings))[:TOLD],
        "noise": _rms(error)[0],
        "sides": dict(zip(sides, _rms(response.in_sd(response.sides)), strict=True)),
    }


def picture(pictures: dict[str, Response], moved: dict[str, Response]) -> np.ndarray | None:
    """The response by distance, one line per layer; on rolled images also by side."""
    names = [n for n in moved if all(_varies(found[n]) for found in (pictures, moved))]
    if not names:
        return None
    if len(names) > LINES:
        names = [names[i] for i in np.linspace(0, len(names) - 1, LINES).round().astype(int)]
    by_layer = {"unchanged images": pictures, "rolled images": moved}
    responses: Any = {
        title: {name: _rms(found[name].in_sd(found[name].rings)) for name in names}
        for title, found in by_layer.items()
    }
    highest = max(
        value or 0 for found in responses.values() for rms in found.values() for value in rms
    )

    def draw(axis: Axes, title: str) -> None:
        if title not in responses:
            _sides(axis, {name: moved[name] for name in names})
            return
        for i, (name, response) in enumerate(responses[title].items()):
            style = canvas.line(i) if name != "input" else {"color": canvas.INK, "ls": ":"}
            axis.plot(response, **style, label=name)
        axis.set(
            xlabel="distance to the border, pixels of the feature map", ylim=(0, 1.05 * highest)
        )
        axis.set(ylabel="response, sd of the interior", title=title)
        axis.grid(True)
        if title == list(responses)[-1]:
            canvas.legend(axis)

    height = max(3.2, 0.3 * len(names) + 1)
    return pixels(canvas.panels([*responses, "sides"], draw, (4.2, height)))


def _varies(response: Response) -> bool:
    return response.in_sd(response.rings).size > 0


def _sides(axis: Axes, found: dict[str, Response]) -> None:
    table = np.array([_rms(one.in_sd(one.sides)) for one in found.values()])
    image = axis.imshow(table, cmap="viridis", vmin=0, aspect="auto")
    labels = SIDES[table.shape[1] // 2]
    axis.set_xticks(range(len(labels)), labels)
    axis.set_yticks(range(len(found)), list(found))
    axis.set_title("rolled images: first pixel from each side")
    for (y, x), value in np.ndenumerate(table):
        shade = "black" if value > 0.6 * image.get_clim()[1] else "white"
        axis.text(x, y, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=7)
