"""The pictures of `report.why`: maps side by side, and accuracy under swapped paddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.tasks import Task
from experiments.report.pages.pictures import canvas

Results = Mapping[str, Mapping[str, Any]]  # by padding
Arrays = Mapping[str, Mapping[str, np.ndarray]]
PANEL = 2.2, 1.9
# Column, array, and whether all rows share one colour scale.
MAPS = (
    ("how often a pixel is read", "foveation/paths", False),
    ("accuracy, shifted circularly", "position/circular", True),
    ("change after a shift", "shift/change_map", True),
    ("height predicted from features", "readout/V", True),
    ("saliency over its mean", "saliency/mean", True),
)


def maps_picture(results: Results, arrays: Arrays) -> Figure | None:
    """One row per padding, one column per probe; probes that no run has are left out."""
    columns = [column for column in MAPS if any(column[1] in found for found in arrays.values())]
    bordered = [label for label in results if "border" in results[label]["probes"]]
    width = len(columns) + bool(bordered)
    if not width:
        return None
    scales = {name: _scale(arrays, name) for _, name, shared in columns if shared}
    top = max((_response(results[label])[1] for label in bordered), default=0.0)
    subjects: list[Any] = []
    for label in results:
        subjects += [(label, title, arrays[label].get(name), name) for title, name, _ in columns]
        if bordered:
            subjects.append((label, "border response, sd", results[label], None))

    def draw(axis: Axes, subject: Any) -> None:
        label, title, values, name = subject
        axis.set_title(f"{label}: {title}", fontsize=7)
        if name is None:
            _draw_response(axis, values, top)
        elif values is None:
            axis.set_axis_off()
        elif values.ndim == 1:
            axis.plot(values, color=canvas.DOT)
            axis.set_ylim(*_limits(scales.get(name, (0.0, float(values.max())))))
        else:
            low, high = scales.get(name, (0.0, float(values.max())))
            image = axis.imshow(values, cmap="viridis", vmin=low, vmax=high)
            axis.figure.colorbar(image, ax=axis, fraction=0.046).ax.tick_params(labelsize=6)
            axis.set_xticks([])
            axis.set_yticks([])
        axis.tick_params(labelsize=6)

    return canvas.panels(subjects, draw, PANEL, across=width)


def swap_picture(results: Results, task: Task) -> Figure | None:
    """The measure of each network under each padding: rows are trainings, columns tests."""
    trained = {label: found["probes"].get("swap", {}) for label, found in results.items()}
    trained = {label: swap for label, swap in trained.items() if "under" in swap}
    if not trained:
        return None
    own = list(trained)
    other = sorted({name for swap in trained.values() for name in swap["under"]} - set(own))
    tested = own + other
    measure = np.full((len(own), len(tested)), np.nan)
    for row, label in enumerate(own):
        swap = trained[label]
        for name in (label, *swap["own"]):
            if name in tested:
                measure[row, tested.index(name)] = task.scale * swap[task.measure]
        for name, found in swap["under"].items():
            for alias in (name, *found["also"]):
                if alias in tested and found.get("pixels", 1) == 1:
                    measure[row, tested.index(alias)] = task.scale * found[task.measure]
    low, high = (0.0, 100.0) if task.unit == "%" else _range(measure)
    form = ".0f" if task.unit == "%" else ".3g"

    def draw(axis: Axes, values: np.ndarray) -> None:
        image = axis.imshow(values, cmap="viridis", vmin=low, vmax=high)
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                ink = "white" if value < low + 0.55 * (high - low) else "black"
                told = f"{value:{form}}"
                axis.text(column, row, told, ha="center", va="center", size=7, color=ink)
        axis.set_xticks(range(len(tested)), tested, rotation=45, ha="right")
        axis.set_yticks(range(len(own)), own)
        axis.set_xlabel("tested under")
        axis.set_ylabel("trained under")
        unit = f", {task.unit}" if task.unit else ""
        axis.set_title(f"{task.label} of the trained weights{unit}")
        axis.figure.colorbar(image, ax=axis, fraction=0.03)

    return canvas.panels([measure], draw, (2 + 0.42 * len(tested), 2 + 0.36 * len(own)))


def _range(values: np.ndarray) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _scale(arrays: Arrays, name: str) -> tuple[float, float]:
    """The range of a map's values over all paddings, without extremes."""
    values = np.concatenate([found[name].ravel() for found in arrays.values() if name in found])
    low, high = np.nanquantile(values, (0.005, 0.995))  # NaN: a pixel that is not given
    return float(low), float(high)


def _limits(scale: tuple[float, float]) -> tuple[float, float]:
    low, high = scale
    room = 0.05 * (high - low or 1.0)
    return low - room, high + room


def _response(found: Mapping[str, Any]) -> tuple[dict[str, list[float]], float]:
    """For each layer the response by distance, and the largest response."""
    border = found["probes"].get("border", {}).get("rolled", {})
    layers = {
        name: [v for v in told["distances"] if v is not None] for name, told in border.items()
    }
    layers = {name: values for name, values in layers.items() if values}
    return layers, max((max(values) for values in layers.values()), default=0.0)


def _draw_response(axis: Axes, found: Mapping[str, Any], top: float) -> None:
    layers, _ = _response(found)
    if not layers:
        axis.set_axis_off()
        return
    for i, (name, values) in enumerate(layers.items()):
        style = {"color": canvas.INK, "ls": ":"} if name == "input" else canvas.line(i)
        axis.plot(values, **style, label=name)
    axis.set_ylim(0, 1.05 * top)
    axis.legend(fontsize=4.5, loc="upper right")
    axis.grid(True)
