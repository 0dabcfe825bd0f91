"""Reads the complete runs of a study from their files, and lists all others.

Ten thousand runs take seconds, because each file is opened once and a cell's configuration is
checked once. Nothing is guessed: a run that is COMPLETED but cannot be read completely is left out.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conf.schema import Config
from data.tasks import TASKS, TESTED, Task
from data.tasks.metrics import (
    BALANCED,
    PARTS,
    TEST_LOSS,
    TRAINING,
    is_tested,
    measured,
    split_epoch,
    split_part,
)
from experiments.report.compare import stored
from experiments.report.compare.stored import BrokenRun
from experiments.report.compare.tested_items import Items, read_images, read_items
from experiments.run.record.directory import COMPLETED, FAILED, INTERRUPTED, RUNNING
from experiments.study.plan import Plan

TEST_ACCURACY = TESTED[0]
PREDICTIONS = "predictions.npz"
MISSING = "missing: there are no files"
WHY = {
    RUNNING: "still running, or killed while it ran",
    INTERRUPTED: "interrupted; the same command resumes it",
}
BEGUN = "incomplete: status.json is missing or empty"
YET_TO_RUN = (MISSING, BEGUN, *WHY.values())


@dataclass(frozen=True)
class Record:
    """A complete run.

    Attributes:
        results: results.json, and the primary metric if another file has it.
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
        value = recorded(self.results, metric)
        return None if value is None else measured(metric).scale * value


@dataclass(frozen=True)
class Cell:
    """All complete runs of one configuration; only the planned ones, if there is a plan.

    Attributes:
        records: by seed, in order.
        aliases: labels of the paddings that compute the same and have no runs of their own.
        lost: the planned seeds that have no complete run and will not get one by running on.
    """

    name: str
    config: Config
    records: dict[int, Record]
    aliases: tuple[str, ...] = ()
    lost: frozenset[int] = frozenset()

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


def recorded(results: Mapping[str, Any], metric: str) -> float | None:
    """A metric in results.json, as it is stored there; None if it is not."""
    if metric in results:
        return results[metric]
    name, epoch = split_epoch(metric)
    if epoch:
        return results.get(f"{name}_at", {}).get(epoch)
    if name == BALANCED:
        even = balanced(results)
        return None if even is None else even / 100
    start, part = split_part(metric)
    every = results.get(PARTS.get(start, ""), {})
    if isinstance(every, list):
        every = {str(ring["distance"]): ring["error"] for ring in every}
    found = every.get(part)
    return found["accuracy"] if isinstance(found, Mapping) else found


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
    reasons = dict.fromkeys(sorted(pairs - there), MISSING) | why
    aliases: dict[str, list[str]] = defaultdict(list)
    for planned in plan.cells.values() if plan else ():
        if planned.alias_of is not None:
            aliases[planned.alias_of].append(planned.padding)
    cells = []
    for name, seeds in wanted.items():
        records = {seed: found[name][seed] for seed in seeds if (name, seed) in there}
        if records:
            first = next(iter(records.values()))
            ended = {s for s in seeds if reasons.get((name, s), MISSING) not in YET_TO_RUN}
            lost = frozenset(ended - set(records))
            cells.append(Cell(name, first.config, records, tuple(aliases[name]), lost))
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
        raise BrokenRun(WHY.get(str(state), BEGUN))
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
    if not is_tested(metric):
        return _with_curve(record, metric)
    points, (of, epoch) = record.points(metric), split_epoch(metric)
    name = f"predictions-{epoch}.npz" if epoch else PREDICTIONS
    elsewhere = (of == TEST_LOSS or epoch) and (directory / name).exists()
    if points is None and not elsewhere:
        return record
    items = stored.read(directory, name, lambda path: _items(path, of, record, described))
    if points is None:
        value = items.points / measured(metric).scale
        return dataclasses.replace(record, items=items, results={**record.results, metric: value})
    if not abs(items.points - points) <= 1e-9:
        raise BrokenRun(f"{name} and results.json disagree on {metric}")
    return dataclasses.replace(record, items=items)


def _items(path: Path, metric: str, record: Record, described: Mapping[str, Any]) -> Items:
    if measured(metric).target != "class":
        return read_images(path, metric, record.config.task)
    classes = described.get("class_names", ())
    return read_items(path, metric, described.get("scored_steps"), classes)


def _with_curve(record: Record, metric: str) -> Record:
    """The record with a metric that metrics.csv alone has: of training, or after an epoch."""
    name, epoch = split_epoch(metric)
    if not name.startswith(TRAINING) and not epoch:
        return record
    at = int(epoch) if epoch else record.results.get("tested_epoch")
    value = next(
        (row.get(name.removeprefix(TRAINING)) for row in record.curve if row["epoch"] == at), None
    )
    return dataclasses.replace(record, results={**record.results, metric: value})
