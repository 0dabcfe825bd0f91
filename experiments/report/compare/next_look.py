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
    waiting = [one.next_look for one in compared] + [contrasts.next_look if contrasts else None]
    looks = [n for n in waiting if n]
    if study.plan is None or not looks:
        return []
    n = min(looks)
    seeds = list(dict.fromkeys(s for cell in study.plan.cells.values() for s in cell.seeds))
    several = any(len(one.looks) > 1 for one in compared)
    lost = {seed for cell in study.cells for seed in cell.lost} if several else set()
    wanted = _seeds(seeds, lost, n)
    commands = [_with_seeds(line, wanted) for line in study.plan.commands]
    if not here:
        commands = [without_paths(command) for command in commands]
    said = f"undecided: the next look is at {n} seeds: {' ; '.join(dict.fromkeys(commands))}"
    records = [record for cell in study.cells for record in cell.records.values()]
    seconds = [r.results["train_seconds"] for r in records if r.results.get("train_seconds")]
    if here and seconds:
        left = sum(seed not in cell.records for cell in study.cells for seed in wanted)
        minutes = max(1, round(left * statistics.median(seconds) / 60))
        said += f"  (about {counted(minutes, 'minute')}, one run at a time)"
    return [said]


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
