"""The picture of a run that gives images: error by distance to the border, and examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data.tasks import SEGMENTATION, TASKS
from experiments.run.record import files

EXAMPLES = 4
COLUMNS = ("input", "target", "predicted", "error")


def write(
    directory: Path, predictions: dict[str, np.ndarray], results: dict[str, Any], task: str
) -> np.ndarray:
    """Draw the picture into the directory of a run, as images.png, and return it."""
    drawn = picture(predictions, results, task)
    files.write(directory / files.IMAGES, files.png(drawn))
    return drawn


def picture(predictions: dict[str, np.ndarray], results: dict[str, Any], task: str) -> np.ndarray:
    """Draw the error by distance and, below it, input, target, prediction and error side by side.

    Args:
        predictions: as from `images.predict`.
        results: as from `images.results`.

    Returns:
        uint8 (height, width, 3).
    """
    count = min(EXAMPLES, len(predictions["shown"]))
    figure = Figure(figsize=(8, 2.6 + 1.9 * count), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    heights = [2.4, *[1.9] * count]
    grid = figure.add_gridspec(1 + count, len(COLUMNS), height_ratios=heights)
    axis = figure.add_subplot(grid[0, :])
    rings = results["error_by_distance"]
    axis.plot([r["distance"] for r in rings], [r["error"] for r in rings], marker="o", markersize=3)
    axis.set_xlabel("distance to the border, pixels")
    axis.set_ylabel(str(TASKS[task].error))
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    for row in range(count):
        for column, (name, image) in enumerate(sheets(predictions, row, task).items()):
            place = figure.add_subplot(grid[1 + row, column])
            place.imshow(image[0], **image[1])
            place.set_axis_off()
            if row == 0:
                place.set_title(name, fontsize=9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def sheets(
    predictions: dict[str, np.ndarray], example: int, task: str
) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Input, target, prediction and error of an example, each with how `imshow` shows it.

    Target and prediction share one scale. Pixels that are not predicted are left blank.
    """
    top, left, height, width = predictions["shown_frame"]
    whole = predictions["shown_input"][example]
    grey = whole.shape[-1] == 1
    target = predictions["shown_target"][example]
    given = predictions["shown_predicted"][example]
    if task == SEGMENTATION:
        wrong = np.where(target >= 0, target != given, 0)
        last = max(1, int(max(target.max(), given.max())))
        shown: dict[str, Any] = {"cmap": "tab20", "vmin": 0, "vmax": max(19, last)}
        error = (wrong.astype(float), {"cmap": "inferno", "vmin": 0, "vmax": 1})
    else:
        difference = np.abs(given - target).mean(axis=-1)
        error = (difference, {"cmap": "inferno", "vmin": 0})
        if target.shape[-1] == 1:
            shown = {"cmap": "gray", "vmin": target.min(), "vmax": target.max()}
            target, given = target[..., 0], given[..., 0]
        else:
            target, given = _colours(target), _colours(given)
            shown = {}
    size = (int(height), int(width))
    place = (slice(top, top + error[0].shape[0]), slice(left, left + error[0].shape[1]))
    images = {
        "target": (target, shown),
        "predicted": (given, shown),
        "error": error,
    }
    found = {name: (_placed(image, size, place), how) for name, (image, how) in images.items()}
    own = {"cmap": "gray"} if grey else {}
    return {"input": (whole[..., 0] if grey else _colours(whole), own), **found}


def _colours(image: np.ndarray) -> np.ndarray:
    """Three channels between 0 and 1; of other numbers of channels the first."""
    if image.shape[-1] != 3:
        return image[..., 0]
    return np.clip(image / (255.0 if image.max() > 1 else 1.0), 0, 1)


def _placed(image: np.ndarray, size: tuple[int, int], place: tuple[slice, slice]) -> np.ndarray:
    if image.shape[:2] == size:
        return image
    whole = np.full((*size, *image.shape[2:]), np.nan)
    whole[place] = image
    return whole
