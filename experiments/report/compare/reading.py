"""Reads the complete runs of a study from their files, and lists all others.

Ten thousand runs take seconds, because each file is opened once and a cell's configuration is
checked once. Nothing is guessed: a run that is COMPLETED but cannot be read completely is left out.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conf.presets import AT, BALANCED, METRICS, ON
from conf.schema import Config
from data.tasks import TASKS, Task, of_metric
from experiments.report.compare import stored
from experiments.report.compare.stored import BrokenRun
from experiments.report.compare.tested_items import Items, has_items, read_images, read_items
from experiments.run.record.directory import COMPLETED, FAILED, INTERRUPTED, RUNNING
from experiments.study.plan import Plan

TEST_ACCURACY, BALANCED_ACCURACY = METRICS[0], BALANCED
PREDICTIONS = "predictions.npz"
WHY = {
    RUNNING: "still running, or killed while it ran",
    INTERRUPTED: "interrupted; the same command resumes it",
}


@dataclass(frozen=True)
class Record:
    """A complete run.

    Attributes:
        results: results.json.
        starts: those in meta.json, one for each time that the run was started.
        fingerprint: of its data.
        curve: metrics.csv, one row per epoch; empty if not requested.
        items: None if not requested, or if the primary metric is not a mean over test items.
    """

    cell: str
    seed: int
    config: Config
    results: dict[str, Any]
    starts: list[dict[str, Any]]
    fingerprint: str | None
    curve: list[dict[str, float]]
    items: Items | None

    def points(self, metric: str = TEST_ACCURACY) -> float | None:
        """A declared metric of the run in its unit; None if the run does not have it."""
        if metric == BALANCED_ACCURACY:
            return balanced(self.results)
        if metric.startswith(ON):
            found = self.results.get("accuracy_by_subset", {}).get(metric.removeprefix(ON))
            return 100 * found["accuracy"] if found else None
        tested, at, epoch = metric.partition(AT)
        value = self.results.get(f"{tested}_at", {}).get(epoch) if at else self.results.get(tested)
        return None if value is None else of_metric(metric).scale * value


@dataclass(frozen=True)
class Cell:
    """All complete runs of one configuration; only the planned ones, if there is a plan.

    Attributes:
        records: by seed, in order.
        aliases: labels of the paddings that compute the same and have no runs of their own.
    """

    name: str
    config: Config
    records: dict[int, Record]
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.config.padding.label

    @property
    def task(self) -> Task:
        return TASKS[self.config.task]

    def points(self, metric: str = TEST_ACCURACY) -> dict[int, float]:
        """Seed -> a declared metric in its unit, of the runs that have it."""
        found = {seed: record.points(metric) for seed, record in self.records.items()}
        return {seed: value for seed, value in found.items() if value is not None}


@dataclass(frozen=True)
class Absent:
    """A run that is not in the report, and the reason."""

    cell: str
    seed: int
    why: str
    planned: bool


@dataclass(frozen=True)
class Study:
    """The data of a report.

    Attributes:
        cells: in the order of the plan, or of their names.
        absent: runs that are planned or begun, but not complete.
        unplanned: complete runs that are not in the plan, as (cell, seed).
    """

    path: Path
    plan: Plan | None
    cells: list[Cell]
    absent: list[Absent] = field(default_factory=list)
    unplanned: list[tuple[str, int]] = field(default_factory=list)

    @property
    def planned(self) -> int:
        return len(self.plan.runs(self.path)) if self.plan else 0

    @property
    def tuned(self) -> tuple[str, ...]:
        """The settings that are tuned for each cell."""
        return tuple(self.plan.declared.tuned or ()) if self.plan else ()

    @property
    def whole(self) -> bool:
        """Whether every planned run is complete."""
        return not any(run.planned for run in self.absent)


def balanced(results: Mapping[str, Any]) -> float | None:
    """The mean over the classes of their test accuracies, in per cent; None without them."""
    by_class = results.get("per_class_accuracy")
    return 100 * statistics.mean(by_class.values()) if by_class else None


def read(
    path: Path, metric: str = TEST_ACCURACY, *, plan: Plan | None = None, brief: bool = False
) -> Study:
    """Read every run below a study's folder.

    Args:
        path: the study's folder.
        metric: the primary metric, whose test items are read.
        plan: the planned runs; None takes every complete run.
        brief: leave out curves and test items.
    """
    found: dict[str, dict[int, Record]] = defaultdict(dict)
    why: dict[tuple[str, int], str] = {}
    configs: dict[str, Config] = {}
    for directory in sorted(path.glob("*/seed=*")):
        cell, seed = directory.parent.name, directory.name.removeprefix("seed=")
        if not seed.isdigit():
            continue
        try:
            record = _record(directory, metric, configs, brief)
        except BrokenRun as broken:
            why[cell, int(seed)] = str(broken)
        else:
            found[cell][int(seed)] = record
    return _sorted_out(path, plan, found, why)


def _sorted_out(
    path: Path,
    plan: Plan | None,
    found: dict[str, dict[int, Record]],
    why: dict[tuple[str, int], str],
) -> Study:
    """Compare the runs that were found with the plan."""
    if plan is None:
        wanted = {name: sorted(records) for name, records in found.items()}
    else:
        wanted = {n: sorted(c.seeds) for n, c in plan.cells.items() if c.alias_of is None}
    pairs = {(name, seed) for name, seeds in wanted.items() for seed in seeds}
    there = {(name, seed) for name, records in found.items() for seed in records}
    reasons = dict.fromkeys(sorted(pairs - there), "missing: there are no files") | why
    aliases: dict[str, list[str]] = defaultdict(list)
    for planned in plan.cells.values() if plan else ():
        if planned.alias_of is not None:
            aliases[planned.alias_of].append(planned.padding)
    cells = []
    for name, seeds in wanted.items():
        records = {seed: found[name][seed] for seed in seeds if (name, seed) in there}
        if records:
            first = next(iter(records.values()))
            cells.append(Cell(name, first.config, records, tuple(aliases[name])))
    place = {name: i for i, name in enumerate(wanted)}
    order = sorted(reasons, key=lambda pair: (place.get(pair[0], len(place)), *pair))
    absent = [Absent(*pair, reasons[pair], pair in pairs) for pair in order]
    return Study(path, plan, cells, absent, sorted(there - pairs))


def _record(directory: Path, metric: str, configs: dict[str, Config], brief: bool) -> Record:
    status = stored.read(directory, "status.json") or {}
    state = status.get("status")
    if state == FAILED:
        raise BrokenRun(f"failed: {status.get('error', 'no reason was recorded')}")
    if state != COMPLETED:
        raise BrokenRun(WHY.get(str(state), "incomplete: status.json is missing or empty"))
    described = stored.read(directory, "data.json") or {}
    record = Record(
        cell=directory.parent.name,
        seed=int(directory.name.removeprefix("seed=")),
        config=stored.config(directory, configs),
        results=stored.results(directory),
        starts=stored.starts(directory),
        fingerprint=described.get("fingerprint"),
        curve=[] if brief else stored.curve(directory),
        items=None,
    )
    if brief:
        return record
    if not record.starts or record.fingerprint is None:
        raise BrokenRun("incomplete: meta.json or data.json is missing or empty")
    points = record.points(metric)
    if points is None or not has_items(metric):
        return record
    steps = described.get("scored_steps")
    of, _, epoch = metric.partition(AT)
    name = f"predictions-{epoch}.npz" if epoch else PREDICTIONS
    reader = read_items if of_metric(metric).target == "class" else read_images
    items = stored.read(directory, name, lambda path: reader(path, of, steps))
    if not abs(items.points - points) <= 1e-9:
        raise BrokenRun(f"{name} and results.json disagree on {metric}")
    return Record(**{**record.__dict__, "items": items})
