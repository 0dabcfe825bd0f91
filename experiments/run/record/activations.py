"""A picture of the mean activation by position, including the border, for each convolution."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

EXAMPLES = 256


def means(model: keras.Model, x: Any) -> dict[str, np.ndarray]:
    """Each convolution's mean output over examples and channels: (height, width) or (time,)."""
    names, shown = _convolutions(model)
    if shown is None:
        return {}
    found = shown.predict(x[:EXAMPLES], batch_size=64, verbose=0)
    found = found if isinstance(found, list) else [found]
    return {
        name: np.asarray(value, np.float64).mean(axis=(0, -1))
        for name, value in zip(names, found, strict=True)
    }


@functools.lru_cache(maxsize=1)  # the seeds of a cell have one model, which is compiled once
def _convolutions(model: keras.Model) -> tuple[list[str], keras.Model | None]:
    """The names of the convolutions and a network that gives their outputs, if there are any."""
    layers = [layer for layer in model.layers if "Conv" in type(layer).__name__]
    outputs = [layer.output for layer in layers]
    return [layer.name for layer in layers], keras.Model(model.inputs, outputs) if outputs else None


def picture(maps: dict[str, np.ndarray]) -> np.ndarray | None:
    """The maps side by side, each on its own colour scale; uint8 (height, width, 3)."""
    if not maps:
        return None
    columns = min(4, len(maps))
    rows = -(-len(maps) // columns)
    # Every run draws this, and fixed margins take half the time of a computed layout.
    figure = Figure(figsize=(2.6 * columns, 2.5 * rows), dpi=100)
    bottom, top = 0.28 / (2.5 * rows), 1 - 0.24 / (2.5 * rows)
    figure.subplots_adjust(0.04, bottom, 0.94, top, 0.3, 0.2)
    canvas = FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis, (name, values) in zip(axes, maps.items(), strict=False):
        _draw(figure, axis, values)
        axis.set_title(f"{name}  {'×'.join(map(str, values.shape))}", fontsize=8)
        axis.tick_params(labelsize=6)
    for axis in axes[len(maps) :]:
        axis.set_axis_off()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def _draw(figure: Figure, axis: Any, values: np.ndarray) -> None:
    if values.ndim == 1:
        axis.plot(values)
        return
    image = axis.imshow(values, cmap="viridis")
    figure.colorbar(image, ax=axis, fraction=0.046).ax.tick_params(labelsize=6)
