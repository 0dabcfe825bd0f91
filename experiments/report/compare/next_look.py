"""How a study goes on whose comparisons are undecided: with its next look."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Collection, Sequence

from experiments.report.compare.contrasts import Contrasts
from experiments.report.compare.differences import Compared
from experiments.report.compare.reading import Study
from experiments.terminal import counted

PATHS = ("runs_dir=", "data.data_dir=", "data.path=", "trainer.progress=")


def next_looks(
    study: Study,
    compared: Sequence[Compared],
    contrasts: Contrasts | None = None,
    *,
    here: bool = False,
) -> list[str]:
    """A line with the commands of the next look; none if nothing waits for one.

    Args:
        here: for this machine: with its paths, and the minutes by the runs that there are.
    """
    wanted = _wanted(study, compared, contrasts)
    if study.plan is None or not wanted:
        return []
    commands = [_with_seeds(line, wanted) for line in study.plan.commands]
    if not here:
        commands = [without_paths(command) for command in commands]
    listed = " ; ".join(dict.fromkeys(commands))
    said = f"undecided: the next look is at {len(wanted)} seeds: {listed}"
    if here and (minutes := next_minutes(study, compared, contrasts)):
        said += f"  (about {minutes}, one run at a time)"
    return [said]


def next_minutes(
    study: Study, compared: Sequence[Compared], contrasts: Contrasts | None = None
) -> str:
    """How long the runs of the next look take, by those that there are; empty if none is known."""
    wanted = _wanted(study, compared, contrasts)
    done = {cell.name: cell.records for cell in study.cells}
    seconds = [
        record.results["train_seconds"]
        for records in done.values()
        for record in records.values()
        if record.results.get("train_seconds")
    ]
    if study.plan is None or not wanted or not seconds:
        return ""
    cells = [name for name, cell in study.plan.cells.items() if cell.alias_of is None]
    left = sum(seed not in done.get(name, {}) for name in cells for seed in wanted)
    return counted(max(1, round(left * statistics.median(seconds) / 60)), "minute")


def _wanted(study: Study, compared: Sequence[Compared], contrasts: Contrasts | None) -> list[int]:
    """The seeds of the next look; none if nothing waits for one."""
    waiting = [one.next_look for one in compared] + [contrasts.next_look if contrasts else None]
    looks = [n for n in waiting if n]
    if study.plan is None or not looks:
        return []
    seeds = list(dict.fromkeys(s for cell in study.plan.cells.values() for s in cell.seeds))
    several = any(len(one.looks) > 1 for one in compared)
    lost = {seed for cell in study.cells for seed in cell.lost} if several else set()
    return _seeds(seeds, lost, min(looks))


def without_paths(command: str) -> str:
    """A command without the settings that are paths of a machine."""
    return shlex.join(word for word in shlex.split(command) if not word.startswith(PATHS))


def _seeds(declared: Sequence[int], lost: Collection[int], n: int) -> list[int]:
    """The first n of the declared seeds that are not lost, and of the numbers after them."""
    more = range(max(declared) + 1, max(declared) + 1 + n)
    return [seed for seed in (*declared, *more) if seed not in lost][:n]


def _with_seeds(command: str, wanted: Sequence[int]) -> str:
    """The command of a sweep with these seeds."""
    first, last = wanted[0], wanted[-1]
    told = ",".join(map(str, wanted))
    if list(wanted) == list(range(first, last + 1)):
        told = f"range({first},{last + 1})" if first else f"range({last + 1})"
    words = [word for word in shlex.split(command) if not word.startswith("seed=")]
    return shlex.join([*words, f"seed={told}"])
