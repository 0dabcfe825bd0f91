"""A study in a table: every padding's accuracy over its seeds, and its difference from one of them.

    python -m experiments.compare runs/default --baseline same

Differences are paired by seed, over the seeds that both paddings have; brackets hold the 95 %
t interval. One model and data set at a time; where the data has margins, a table for the objects
that the border cuts follows, and where its test split has subsets, one for each. Cells of one
padding that differ in something else carry the digest of their configuration.

A study with runs of two back ends has a line for each: same, jax and same, tensorflow. Each is
compared with the baseline of its own back end; --baseline "same, jax" compares all with that one.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments import terminal
from experiments.run import by_cell
from experiments.statistics.paired import paired_interval

# seed -> accuracy in per cent
BySeed = dict[int, float]


def overall(results: dict[str, Any]) -> float:
    """Test accuracy in per cent."""
    return 100 * results["test_accuracy"]


def cut(results: dict[str, Any]) -> float | None:
    """Test accuracy in per cent on the objects cut by the border; None without margins."""
    bins = [b for name, b in results.get("accuracy_by_margin", {}).items() if _is_cut(name)]
    if not bins:
        return None
    return 100 * sum(b["accuracy"] * b["n"] for b in bins) / sum(b["n"] for b in bins)


def on(subset: str, results: dict[str, Any]) -> float | None:
    """Accuracy in per cent on one subset of the test split; None where there is none such."""
    found = results.get("accuracy_by_subset", {}).get(subset)
    return 100 * found["accuracy"] if found else None


def _is_cut(name: str) -> bool:
    return name.startswith("below") or name.endswith(" 0")


def lines(cells: dict[str, BySeed], baseline: str) -> list[str]:
    """The table: a line a padding, the most accurate first; each back end has its own baseline."""
    rows = []
    ordered = sorted(cells.items(), key=lambda cell: -statistics.mean(cell[1].values()))
    width = max([14, *map(len, cells)])
    for name, by_seed in ordered:
        values = list(by_seed.values())
        spread = f"{statistics.stdev(values):.2f}" if len(values) > 1 else "–"
        row = f"{name:<{width}} {len(values):>3} {statistics.mean(values):8.2f} {spread:>6}   "
        _, comma, backend = name.partition(", ")
        own = baseline + comma + backend
        other = own if own in cells else baseline
        rows.append(row + _difference(by_seed, cells.get(other), name == other))
    head = f"{'padding':<{width}} {'n':>3} {'mean, %':>8} {'sd':>6}   − {baseline}, points [95 %]"
    return [head, *rows]


def _difference(by_seed: BySeed, baseline: BySeed | None, is_baseline: bool) -> str:
    shared = sorted(set(by_seed) & set(baseline or {}))
    if is_baseline or not baseline or len(shared) < 2:
        return "–"
    pairs = [by_seed[s] for s in shared], [baseline[s] for s in shared]
    mean, low, high = paired_interval(*pairs)
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"


def report(study: Path, baseline: str) -> None:
    """Print the tables of a study."""
    measures: dict[str, Callable[[dict[str, Any]], float | None]] = {
        "test accuracy": overall,
        "test accuracy where the border cuts": cut,
    }
    for (model, data), paddings in sorted(by_cell(study).items()):
        results = [found for by_seed in paddings.values() for found in by_seed.values()]
        names = dict.fromkeys(n for found in results for n in found.get("accuracy_by_subset", {}))
        subsets = {f"test accuracy on {name}": functools.partial(on, name) for name in names}
        for name, measure in (measures | subsets).items():
            cells = {
                padding: {s: v for s, r in runs.items() if (v := measure(r)) is not None}
                for padding, runs in paddings.items()
            }
            if any(cells.values()):
                terminal.say(f"\n{model} on {data}: {name}")
                terminal.say("\n".join(lines(cells, baseline)))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m experiments.compare", description=__doc__)
    parser.add_argument("study", type=Path, help="a study's folder, such as runs/default")
    parser.add_argument("--baseline", default="same", help="the padding to compare with")
    options = parser.parse_args(arguments)
    if not options.study.is_dir():
        parser.error(f"{options.study} is not a folder")
    report(options.study, options.baseline)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
