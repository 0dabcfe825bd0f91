"""Foveation: how often each input pixel is read on the way to the last feature map.

Alsallakh et al. 2021, "Mind the pad" (ICLR, arXiv:2010.02178): under zeros the border counts less,
and the odd padding of a stride shifts the whole map to one side. The result depends only on the
architecture and its padding, not on the weights, and is exact: see `models.geometry.reach.paths`.
Of a network that gives an image the last map is that image, and the paths are to all of its pixels.

Known answers: the table of one layer of three or five taps under eight paddings; an asymmetry of
0 at 33 and 225 pixels and of 0.393 and 0.352 at 32 and 224 over five layers of stride 2.
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from models.geometry.reach.paths import asymmetry, paths
from models.geometry.reach.usage import lost_share
from models.geometry.tracing.graph import TraceError
from models.geometry.tracing.trace import final_map_size
from models.layers.pooling import LastStep

MEASURES = "how strongly each input pixel can influence the output"
AXES = {1: ("steps",), 2: ("rows", "columns")}
SIZE = 4.4, 3.4


def probe(subject: Subject) -> Measured:
    """Count the paths from every pixel.

    Values: `border` and `corner`, the mean count of the outermost pixels and of the corners,
    divided by that of the centre, which is the middle half of each axis (None if nothing reads
    it); `asymmetry` of each axis; `lost_share`, the fraction of the image for which the last map
    has no output; `unread_share`, the fraction of pixels with no path.

    Raises:
        NotApplicableError: the network has no feature map, or a layer that cannot be traced.
    """
    try:
        counts = paths(subject.model, _read_outputs(subject))
    except TraceError as error:
        raise NotApplicableError(f"foveation: {error}") from None
    centre = float(counts[_middle(counts.shape)].mean())
    values: dict[str, Any] = {
        "border": _over(counts[_border(counts.shape)], centre),
        "corner": _over(counts[np.ix_(*[[0, -1]] * counts.ndim)], centre),
        "asymmetry": {name: asymmetry(counts, i) for i, name in enumerate(AXES[counts.ndim])},
        "lost_share": lost_share(subject.layers, counts.shape),
        "unread_share": float((counts == 0).mean()),
    }
    unit = ("the centre's mean", centre) if centre else ("the maximum", float(counts.max()))
    return Measured(values, _picture(counts, subject, values, *unit), {"paths": counts})


def _over(counts: np.ndarray, centre: float) -> float | None:
    return float(counts.mean() / centre) if centre else None


def _read_outputs(subject: Subject) -> np.ndarray | None:
    """The outputs of the last feature map that the head reads: the last step, or None for all."""
    if not any(isinstance(layer, LastStep) for layer in subject.model.layers):
        return None
    weights = np.zeros([size or 0 for size in final_map_size(subject.layers)])
    weights[-1] = 1
    return weights


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(n // 4, n - n // 4) for n in shape)


def _border(shape: tuple[int, ...]) -> np.ndarray:
    """The outermost pixels; on a sequence the first and the last step."""
    found = np.ones(shape, bool)
    found[(slice(1, -1),) * len(shape)] = False
    return found


def _picture(
    counts: np.ndarray, subject: Subject, values: dict[str, Any], unit: str, size: float
) -> np.ndarray:
    """The map (or the line, for a sequence) in multiples of `unit`: uint8 (height, width, 3)."""

    def draw(axis: Axes, relative: np.ndarray) -> None:
        (_draw_line if relative.ndim == 1 else _draw_map)(
            axis, relative, f"paths, relative to {unit}"
        )
        sizes = "×".join(map(str, final_map_size(subject.layers)))
        sizes += " steps" if relative.ndim == 1 else ""
        sides = ", ".join(f"{name} {found:.3f}" for name, found in values["asymmetry"].items())
        to = "the image" if subject.gives_images else "the last map"
        axis.set_title(f"paths to {to}, {sizes}; asymmetry: {sides}")

    figure = canvas.panels([counts / size], draw, SIZE)
    with matplotlib.rc_context(canvas.STYLE):
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()  # type: ignore[attr-defined]


def _draw_map(axis: Axes, relative: np.ndarray, label: str) -> None:
    image = axis.imshow(relative, cmap="viridis", vmin=min(0.0, float(relative.min())))
    axis.figure.colorbar(image, ax=axis, fraction=0.046).set_label(label)
    axis.set_xlabel("column")
    axis.set_ylabel("row")


def _draw_line(axis: Axes, relative: np.ndarray, label: str) -> None:
    few = len(relative) <= 60
    axis.plot(relative, color=canvas.colour(0), marker="o" if few else None, ms=3, lw=1.3)
    axis.axhline(1, color=canvas.INK, lw=0.7, ls=":")
    axis.set_ylim(min(0.0, float(relative.min()) * 1.08), float(relative.max()) * 1.08)
    axis.set_xlabel("step")
    axis.set_ylabel(label)
    axis.grid(True)
