"""All pictures of a report, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from data.tasks.metrics import measured
from experiments.report.compare.contrasts import Contrasts
from experiments.report.compare.differences import Compared, Declared
from experiments.report.compare.families import Family
from experiments.report.pages import content
from experiments.report.pages.document import Picture
from experiments.report.pages.pictures import canvas, cost_plot, forest, plots, ring_curves
from experiments.report.statistics.verdict import COVERS


def draw(
    compared: Sequence[Compared],
    declared: Declared,
    crossed: Contrasts | None = None,
    study: Path | None = None,
) -> list[Picture]:
    """The report's pictures, differences first; with many families, two of each kind.

    Args:
        study: the folder of the runs, whose predicted images are shown.
    """
    metric = declared.metric
    label = measured(metric).label
    found = [one.family for one in compared]
    intervals = {one.family.title: content.drawn(one, metric) for one in compared}
    panels = {one.family.title: forest.panel(one, metric) for one in compared}
    kinds: list[tuple[str, str, Callable[[Sequence[Family]], Figure | None]]] = [
        (
            "differences",
            "Paired differences from the baseline, sorted: seeds (dots), their mean (bar) and the "
            f"interval that decides (line), {COVERS}; around zero (dashed) the margin (band)",
            lambda some: forest.picture([p for f in some if (p := panels[f.title])]),
        ),
        (
            "border",
            "Error by distance to the border: means over seeds, each with its own 95 % interval",
            ring_curves.curves,
        ),
        (
            "examples",
            "The same test images under each padding, of one seed; the errors of an image have one "
            "scale",
            lambda some: ring_curves.examples(some, study) if study else None,
        ),
        (
            "accuracy",
            f"{label[0].upper()}{label[1:]} by padding: seeds (dots), their mean (bar) and, from "
            f"the baseline's mean (dashed), the difference's interval (line), {COVERS}",
            lambda some: plots.accuracy(some, metric, intervals),
        ),
        (
            "margin",
            "Accuracy by margin, the distance from object to border: means, each with its own 95 % "
            "interval",
            plots.by_margin,
        ),
        (
            "cost",
            f"{label[0].upper()}{label[1:]} against cost: means",
            lambda some: cost_plot.against_cost(some, metric),
        ),
        (
            "curves",
            "Learning curves: means over the seeds, each with its own 95 % interval, until the "
            "first seed ends; from there every seed that goes on (thin) to its own end",
            plots.curves,
        ),
    ]
    pictures = []
    drawn = min(len(found), canvas.MOST)
    if drawn < len(found):
        kinds = [
            (name, f"{says}; only the first {drawn} of {len(found)} families", drawing)
            for name, says, drawing in kinds
        ]
    for name, says, drawing in kinds:
        for i in range(0, drawn, canvas.PANELS):
            if figure := drawing(found[i : min(drawn, i + canvas.PANELS)]):
                number = f"-{i // canvas.PANELS + 1}" if i else ""
                pictures.append(Picture(name + number, says, figure))
    if panel := forest.contrast_panel(crossed or Contrasts(), declared.margin):
        says = "Declared contrasts, as the differences above"
        after = sum(picture.name.startswith("differences") for picture in pictures)
        figure = forest.picture([panel])
        assert figure is not None
        pictures.insert(after, Picture("contrasts", says, figure))
    return pictures
