"""The folder `_summary` of a study for TensorBoard, with its layout and hyperparameters.

It has pictures as images, tables as text, validation accuracy over epochs as one band per padding,
and on the HParams page one row per cell. A cell's row has the name by which its seeds are grouped,
so that cell and seeds form one row when the whole study is shown.
"""

from __future__ import annotations

import re
import shutil
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG
from tensorboard.plugins.custom_scalar.metadata import PLUGIN_NAME as CUSTOM_SCALARS
from tensorboard.plugins.hparams import summary_v2

from data.tasks import TEST, TESTED, VALIDATION, Task
from data.tasks.metrics import measured
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell
from experiments.report.pages import content, document
from experiments.report.pages.content import Report
from experiments.report.pages.pictures import plots
from experiments.run.record.board import hparams, metrics
from experiments.run.record.event_files import Hyperparameters, image, plugin, replace, scalar, text

FOLDER = "_summary"
SEEDS, SPREAD = "test/seeds", "test/{}_sd"
BAND = "mean", "low", "high"
OPEN = 4  # number of families whose charts are expanded at first
# TensorBoard shows them in the order of their tags.
PICTURES = {
    "differences": "1_paired_differences",
    "accuracy": "2_test_results",
    "margin": "3_accuracy_by_margin",
    "border": "3_error_by_distance_to_the_border",
    "examples": "4_examples",
    "cost": "5_results_against_cost",
    "curves": "6_learning_curves",
}


def write(report: Report, pictures: Mapping[str, bytes]) -> Path:
    """Write `<study>/_summary`, replacing an earlier one, and return it.

    Args:
        report: of the study.
        pictures: name -> PNG file.
    """
    root = report.study.path / FOLDER
    cells = {c.name: (family, c) for family in report.families for c in family.cells.values()}
    settings = dict.fromkeys(key for family in report.families for key in family.differs)
    rows = {name: _hyperparameters(*both, settings) for name, both in cells.items()}
    before = _begun(report)
    replace(root, _root(report, pictures, rows), wall_time=before)
    for name, (family, cell) in cells.items():
        row = _row(cell, rows[name], report.declared.metric)
        title = _plain(family.title)
        lines = [*row, *_band(title, cell), *_tails(title, cell)]
        replace(root / name, lines, wall_time=before)
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in cells:
            shutil.rmtree(folder)
    return root


def _begun(report: Report) -> float | None:
    """A time just before the first run began.

    TensorBoard sorts runs by their first event and takes the columns of the HParams page from the
    first run, which should be the summary.
    """
    records = [r for f in report.families for c in f.cells.values() for r in c.records.values()]
    starts = [start["time"] for record in records for start in record.starts if "time" in start]
    return min(map(datetime.fromisoformat, starts)).timestamp() - 1 if starts else None


def _root(
    report: Report, pictures: Mapping[str, bytes], rows: Mapping[str, Hyperparameters]
) -> Iterator[Event]:
    names = next(iter(rows.values()), {})
    tasks = dict.fromkeys(family.task for family in report.families)
    shown = {m._tag: m for task in tasks for m in [*metrics(task), *_of_seeds(task)]}
    shown |= {m._tag: m for m in _primary(report.declared.metric)}
    config = summary_v2.hparams_config_pb(
        [summary_v2.HParam(name) for name in names], list(shown.values())
    )
    yield Event(summary=config)
    for name, picture in pictures.items():
        yield image(PICTURES.get(name, name), picture)
    for tag, table in content.tables(report).items():
        yield text(tag, document.markdown([table]))
    yield from _bands(report.families)


def _row(cell: Cell, values: Hyperparameters, metric: str) -> Iterator[Event]:
    """A cell as one session: mean over its seeds, their number and standard deviation."""
    yield Event(summary=summary_v2.hparams_pb(values, trial_id=cell.name))
    records = list(cell.records.values())
    task = cell.task
    tested = [record.results[f"{TEST}{task.measure}"] for record in records]
    tested = [value for value in tested if value is not None]
    epochs = max(record.results.get("epochs", 0) for record in records)
    found: dict[str, list[float | None]] = {
        f"test/{task.measure}": [*tested],
        f"{task.measure}/validation": [
            r.results.get(f"{VALIDATION}{task.measure}") for r in records
        ],
        "speed/images_per_second": [r.results.get("images_per_second") for r in records],
    }
    for primary in _primary(metric):
        points = [record.points(metric) for record in records]
        scale = measured(metric).scale
        found[primary._tag] = [None if p is None else p / scale for p in points]
    for tag, values_ in found.items():
        numbers = [value for value in values_ if value is not None]
        if numbers:
            yield scalar(tag, statistics.mean(numbers), epochs)
    yield scalar(SEEDS, len(records), epochs)
    if len(tested) > 1:
        yield scalar(SPREAD.format(task.measure), statistics.stdev(tested), epochs)


def _of_seeds(task: Task) -> list[summary_v2.Metric]:
    spread = SPREAD.format(task.measure)
    return [
        summary_v2.Metric(spread, display_name=f"test {task.label}, sd"),
        summary_v2.Metric(SEEDS, display_name="seeds"),
    ]


def _bands(families: Sequence[Family]) -> Iterator[Event]:
    """The validation measure over epochs, one band per padding, and the layout of their page.

    TensorBoard colours by run, so the chart of a whole family uses the cells' own runs, where every
    padding has its colour; below it, there is one chart per padding from the summary. A band ends
    with the first seed; the seeds that go on have a chart of lines, since in one of bands
    TensorBoard lists every line that a run lacks as missing.
    """
    layout = layout_pb2.Layout()
    for family in families:
        charts = [_chart("all paddings", _plain(family.title))]
        if any(map(plots.tails, family.cells.values())):
            charts.append(_chart_of_tails(_plain(family.title)))
        for name, cell in family.cells.items():
            tag = f"{_plain(family.title)}/{_plain(name)}"
            if band := list(_band(tag, cell)):
                yield from band
                charts.append(_chart(name, tag))
        if any(map(plots.band, family.cells.values())):
            title = f"validation {family.task.label}, {family.title}"
            closed = len(layout.category) >= OPEN
            layout.category.append(
                # TensorBoard shows a category's last chart first.
                layout_pb2.Category(title=title, chart=charts[::-1], closed=closed)
            )
    yield plugin(CONFIG_SUMMARY_TAG, CUSTOM_SCALARS, layout.SerializeToString())


def _band(tag: str, cell: Cell) -> Iterator[Event]:
    """`<tag>/mean`, `/low` and `/high` over epochs, fractions between 0 and 1."""
    for epoch, *values in plots.band(cell):
        for what, value in zip(BAND, values, strict=True):
            yield scalar(f"{tag}/{what}", value / cell.task.scale, epoch)


def _tails(tag: str, cell: Cell) -> Iterator[Event]:
    """`<tag>/seed_3`, of each seed that goes on after the first one has ended, as in `_band`."""
    for seed, tail in plots.tails(cell).items():
        for epoch, value in tail:
            yield scalar(f"{tag}/seed_{seed}", value / cell.task.scale, epoch)


def _chart_of_tails(tag: str) -> layout_pb2.Chart:
    lines = layout_pb2.MultilineChartContent(tag=[f"^{re.escape(tag)}/seed_[0-9]+$"])
    return layout_pb2.Chart(title="seeds that train longer than the first", multiline=lines)


def _chart(title: str, tag: str) -> layout_pb2.Chart:
    mean, low, high = (f"{tag}/{what}" for what in BAND)
    series = layout_pb2.MarginChartContent.Series(value=mean, lower=low, upper=high)
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def _hyperparameters(family: Family, cell: Cell, settings: Iterable[str]) -> Hyperparameters:
    """A run's hyperparameters, and those that distinguish families; same names in all cells."""
    return hparams(cell.config) | {key: family.differs.get(key, "–") for key in settings}


def _primary(metric: str) -> list[summary_v2.Metric]:
    """The column of the primary metric, if that is not the measure of a task."""
    if metric in TESTED:
        return []
    return [summary_v2.Metric(f"declared/{metric}", display_name=plots.named(metric))]


def _plain(name: str) -> str:
    """A name as one part of a tag; slashes separate the parts."""
    return re.sub(r"[^\w.+-]+", "_", name)
