"""Pictures of networks that give images."""

import itertools
from types import SimpleNamespace

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from experiments.report.pages.pictures.ring_curves import _sheet

LONG = "symmetric_circular (learning_rate 0.03)"


def columns():
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype(np.float32)
    shown = {f"shown_{name}": images for name in ("input", "target", "predicted")}
    return {**shown, "shown": np.arange(2), "shown_frame": np.array([0, 0, 8, 8])}


def test_long_names_of_paddings_stay_beside_their_rows():
    cell = SimpleNamespace(config=SimpleNamespace(task="reconstruction"))
    names = [LONG, LONG.replace("symmetric", "replicate"), "same"]
    family = SimpleNamespace(cells=dict.fromkeys(names, cell), title="unet on advection")
    figure = _sheet(family, {name: columns() for name in names})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [axis.yaxis.label for axis in figure.axes if axis.get_ylabel()]
    boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
    assert [label.get_text().replace("\n", " ") for label in labels] == names
    for above, below in itertools.pairwise(boxes):
        assert below.y1 < above.y0
