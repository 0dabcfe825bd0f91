"""A study at a glance: accuracy against padding, every seed a dot, as a picture in TensorBoard."""

from __future__ import annotations

import fcntl
import os
import statistics
import uuid
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.run import by_cell

# (model, data) -> cell's name -> test accuracies in per cent, one a seed
Accuracies = dict[tuple[str, str], dict[str, list[float]]]


def write(study: Path) -> Path | None:
    """Draw the study's complete runs to accuracy.png and for TensorBoard; the picture's path."""
    accuracies = collect(study)
    if not accuracies:
        return None
    folder = study / "_summary"
    folder.mkdir(exist_ok=True)
    figure = draw(accuracies)
    canvas = FigureCanvasAgg(figure)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = study / "accuracy.png"
        figure.savefig(path)
        _write_event(folder, np.asarray(canvas.buffer_rgba())[..., :3])
    return path


def collect(study: Path) -> Accuracies:
    """The test accuracies of all complete runs below `study`, by what was trained."""
    return {
        group: {
            cell: [100 * results["test_accuracy"] for results in by_seed.values()]
            for cell, by_seed in cells.items()
        }
        for group, cells in by_cell(study).items()
    }


def draw(accuracies: Accuracies) -> Figure:
    """One panel for each model and data set; a dot a seed, a bar at the mean."""
    most = max(len(paddings) for paddings in accuracies.values())
    figure = Figure(figsize=(max(4.5, 1.1 * most + 2), 3.4 * len(accuracies)), dpi=110)
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(len(accuracies), 1, squeeze=False)[:, 0]
    for axis, ((model, data), paddings) in zip(panels, sorted(accuracies.items()), strict=True):
        ordered = sorted(paddings.items(), key=lambda item: -statistics.mean(item[1]))
        for place, (_, values) in enumerate(ordered):
            mean = statistics.mean(values)
            axis.plot([place] * len(values), values, "o", color="#0072b2", alpha=0.6)
            axis.hlines(mean, place - 0.25, place + 0.25, color="#d55e00", lw=2)
            axis.annotate(f"{mean:.2f}", (place + 0.28, mean), va="center", fontsize=8)
        axis.set_xticks(range(len(ordered)), [_tick(name, len(v)) for name, v in ordered])
        axis.set_xlim(-0.5, len(ordered) - 0.2)
        axis.set_ylabel("test accuracy, %")
        axis.set_title(f"{model} on {data}: every seed (dot) and their mean (bar)", fontsize=9)
        axis.grid(axis="y", alpha=0.3)
    return figure


def _tick(name: str, seeds: int) -> str:
    padding, *backend = name.split(", ")
    return "\n".join([padding, *backend, f"n={seeds}"])


def _write_event(folder: Path, picture: np.ndarray) -> None:
    from tensorboardX import SummaryWriter

    earlier = list(folder.glob("events.out.tfevents.*"))
    suffix = f".{os.getpid()}.{uuid.uuid4().hex[:8]}"
    with SummaryWriter(str(folder), filename_suffix=suffix) as writer:
        writer.add_image("accuracy_against_padding", picture, 0, dataformats="HWC")
    for file in earlier:
        file.unlink()
