"""A study's runs as their files tell them: what is complete is read, all else is listed.

Ten thousand runs take seconds, so each file is opened once and a cell's configuration is checked
once. Nothing is guessed: a run that says COMPLETED and cannot be read whole is left out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from conf.schema import METRICS, Config
from experiments.report.compare import stored
from experiments.report.compare.stored import BrokenRun
from experiments.run.record import files
from experiments.run.record.directory import COMPLETED, FAILED, INTERRUPTED, RUNNING
from experiments.study.plan import Plan

TEST_ACCURACY, VALIDATION_ACCURACY = METRICS
ON = "accuracy_on/"
WHY = {
    RUNNING: "still running, or killed while it ran",
    INTERRUPTED: "interrupted; the same command goes on with it",
}


@dataclass(frozen=True)
class Items:
    """What one run did on the test items that the primary metric counts.

    Attributes:
        right: (items,) bool, whether the predicted class was the label.
        key: of the items and their labels: equal keys, the same items in the same order.
        groups: (items,) what each item was made from; None where every item stands alone.
        predicted: of the predicted classes and probabilities: equal only for equal predictions.
        classes: how many classes are predicted.
    """

    right: np.ndarray
    key: int
    groups: np.ndarray | None
    predicted: int
    classes: int


@dataclass(frozen=True)
class Record:
    """A complete run.

    Attributes:
        results: results.json.
        starts: meta.json's, one for each time that the run was started.
        fingerprint: of its data.
        curve: metrics.csv, a row an epoch; empty if not asked for.
        items: None if not asked for, or where the primary metric is none of the test split.
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
        """A declared metric of the run in per cent; None where it has none such."""
        if metric in METRICS:
            value = self.results.get(metric)
            return None if value is None else 100 * value
        found = self.results.get("accuracy_by_subset", {}).get(metric.removeprefix(ON))
        return 100 * found["accuracy"] if found else None


@dataclass(frozen=True)
class Cell:
    """All complete runs of one configuration; those that are planned, where there is a plan.

    Attributes:
        records: by seed, in order.
        aliases: labels of the paddings that compute the same here and have no runs of their own.
    """

    name: str
    config: Config
    records: dict[int, Record]
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.config.padding.label


@dataclass(frozen=True)
class Absent:
    """A run that is not in the report, and why."""

    cell: str
    seed: int
    why: str
    planned: bool


@dataclass(frozen=True)
class Study:
    """What a report is made from.

    Attributes:
        cells: in the order of the plan, or of their names.
        absent: runs that are planned or begun, and not complete.
        unplanned: complete runs that no plan asks for, as (cell, seed).
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
    def whole(self) -> bool:
        """Whether every planned run is there."""
        return not any(run.planned for run in self.absent)


def read(
    path: Path, metric: str = TEST_ACCURACY, *, plan: Plan | None = None, brief: bool = False
) -> Study:
    """Read every run below a study's folder.

    Args:
        path: the study's folder.
        metric: the primary one, whose test items are read.
        plan: what is meant to exist; None takes every complete run.
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
    """What was found, held against the plan."""
    if plan is None:
        wanted = {name: sorted(records) for name, records in found.items()}
    else:
        wanted = {n: sorted(c.seeds) for n, c in plan.cells.items() if c.alias_of is None}
    pairs = {(name, seed) for name, seeds in wanted.items() for seed in seeds}
    there = {(name, seed) for name, records in found.items() for seed in records}
    reasons = dict.fromkeys(sorted(pairs - there), "missing: nothing on disk") | why
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
        raise BrokenRun(f"failed: {status.get('error', 'no reason was written')}")
    if state != COMPLETED:
        raise BrokenRun(WHY.get(str(state), "half-written: status.json is missing or says nothing"))
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
        raise BrokenRun("half-written: meta.json or data.json is missing or says nothing")
    points = record.points(metric)
    if points is None or metric == VALIDATION_ACCURACY:
        return record
    steps = described.get("scored_steps")
    items = stored.read(directory, "predictions.npz", lambda path: read_items(path, metric, steps))
    if not abs(100 * items.right.mean() - points) <= 1e-9:
        raise BrokenRun(f"predictions.npz and results.json disagree on {metric}")
    return Record(**{**record.__dict__, "items": items})


def read_items(path: Path, metric: str, scored_steps: int | None = None) -> Items:
    """Read a run's predictions on the test items that `metric` counts.

    Where the test split holds subsets, `test_accuracy` counts the first alone. Neighbouring
    steps of a series depend on each other: with `scored_steps` labels a sequence, that many
    successive moments are one group (the block bootstrap of Künsch 1989).
    """
    columns = files.read_npz(path)
    label, ids, predicted = columns["label"], columns["id"], columns["predicted"]
    right = predicted == label
    said = hash((predicted.tobytes(), columns["probability"].tobytes()))
    groups = columns.get("source_id")
    if "subset" in columns:
        subset = columns["subset"]
        wanted = subset[0] if metric == TEST_ACCURACY else metric.removeprefix(ON)
        inside = subset == wanted
        label, ids, right, predicted = (a[inside] for a in (label, ids, right, predicted))
        groups = groups[inside] if groups is not None else None
    if not right.size:
        raise ValueError(f"it holds no item for {metric}")
    if groups is not None and scored_steps:
        groups = (groups - groups.min()) // scored_steps
    key = hash((label.tobytes(), ids.tobytes()))
    return Items(right, key, groups, said, len(np.unique(predicted)))
