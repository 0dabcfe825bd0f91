"""Which pending runs of a sweep one process trains at once: seeds of one cell.

The launcher starts the first run of each group, and its process finds the seeds of the others here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiments.run.record import files
from experiments.run.record.directory import Run
from experiments.study.jobs import Job

GROUPS = "groups.json"
SEED = "seed="


def of(jobs: Iterable[Job]) -> list[list[Job]]:
    """The jobs in groups that differ in nothing but the seed, in the order of their first ones."""
    groups: list[list[Job]] = []
    last: dict[tuple[str, ...], list[Job]] = {}
    for job in jobs:
        cell = with_seed(job.overrides)
        if len(last.get(cell, ())) % job.at_once == 0:
            groups.append([])
            last[cell] = groups[-1]
        last[cell].append(job)
    return groups


def with_seed(overrides: Iterable[str], seed: int | None = None) -> tuple[str, ...]:
    """A run's overrides with another seed, or without one."""
    rest = tuple(override for override in overrides if not override.startswith(SEED))
    return rest if seed is None else (*rest, f"{SEED}{seed}")


def write(folder: Path, groups: Iterable[list[Job]]) -> None:
    """Tell the groups to the workers of a sweep, who share the folder."""
    told = {str(group[0].run.directory): [_seed(job.run) for job in group] for group in groups}
    files.write_json(folder / GROUPS, told)


def seeds(folder: Path, first: Run) -> list[int]:
    """The seeds of the group whose first run this is."""
    told = files.read_json(folder / GROUPS) or {}
    return list(told.get(str(first.directory), [_seed(first)]))


def _seed(run: Run) -> int:
    return int(run.directory.name.removeprefix(SEED))
