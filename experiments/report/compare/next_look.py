"""How a study goes on whose comparisons are undecided: with its next look."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Sequence

from experiments.report.compare.differences import Compared
from experiments.report.compare.reading import Study

PATHS = ("runs_dir=", "data.data_dir=", "data.path=", "trainer.progress=")


def next_looks(study: Study, compared: Sequence[Compared], *, here: bool = False) -> list[str]:
    """A line with the commands of the next look; none if nothing is undecided or none is planned.

    Args:
        here: for this machine: with its paths, and the minutes by the runs that there are.
    """
    looks = [n for one in compared if (n := one.next_look)]
    if study.plan is None or not looks:
        return []
    n = min(looks)
    seeds = sorted({seed for cell in study.plan.cells.values() for seed in cell.seeds})
    commands = [_with_seeds(line, seeds, n) for line in study.plan.commands]
    if not here:
        commands = [without_paths(command) for command in commands]
    said = f"undecided: the next look is at {n} seeds: {' ; '.join(dict.fromkeys(commands))}"
    records = [record for cell in study.cells for record in cell.records.values()]
    seconds = [r.results["train_seconds"] for r in records if r.results.get("train_seconds")]
    if here and seconds:
        left = sum(max(0, n - len(cell.records)) for cell in study.cells)
        minutes = left * statistics.median(seconds) / 60
        said += f"  (about {minutes:.0f} minutes, one run at a time)"
    return [said]


def without_paths(command: str) -> str:
    """A command without the settings that are paths of a machine."""
    return shlex.join(word for word in shlex.split(command) if not word.startswith(PATHS))


def _with_seeds(command: str, seeds: Sequence[int], n: int) -> str:
    """The command of a sweep with n seeds: those that were planned, and the numbers after them."""
    more = range(seeds[-1] + 1, seeds[-1] + 1 + max(0, n - len(seeds)))
    wanted = [*seeds[:n], *more]
    first, last = wanted[0], wanted[-1]
    told = ",".join(map(str, wanted))
    if wanted == list(range(first, last + 1)):
        told = f"range({first},{last + 1})" if first else f"range({last + 1})"
    words = [word for word in shlex.split(command) if not word.startswith("seed=")]
    return shlex.join([*words, f"seed={told}"])
