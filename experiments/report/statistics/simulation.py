"""Simulated studies with known truth: how often is the rule wrong, and how wide is its interval?

    python -m experiments.report.statistics.simulation

writes two tables to experiments/results/verdicts: of verdicts, for four kinds of noise, several
numbers of seeds and of comparisons, and for the planned looks; and of intervals over new test
images (`new_images`). Every study is decided by the code that decides a report.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from experiments import terminal
from experiments.report.statistics import looks, new_images
from experiments.report.statistics.looks import DEFAULT, LEVEL, Array
from experiments.run.record import files, tables

OUT = Path(__file__).parents[2] / "results" / "verdicts"
STUDIES, SEED = 20_000, 19
SEEDS, COMPARISONS = (3, 5, 6, 8, 10, 20), (1, 5, 11)
RARE, DEEP = 0.05, 10.0  # a seed collapses with this chance, by so many sd of the others
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _collapsing(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return random.standard_normal(shape) + DEEP * (RARE - (random.random(shape) < RARE))


# Each has mean 0; the others' variance is 1.
VARIANCE = {"t2": np.inf, "collapsing": 1 + DEEP**2 * RARE * (1 - RARE)}
NOISE: dict[str, Draw] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "t2": lambda random, shape: random.standard_t(2, shape),
    "exponential": lambda random, shape: random.exponential(1, shape) - 1,
    "collapsing": _collapsing,
}


# The noise of a cell and of the baseline; of two alike the difference is symmetric.
KINDS = {
    **{noise: (noise, noise) for noise in NOISE},
    "exponential cells": ("exponential", "normal"),
    "collapsing cells": ("collapsing", "normal"),
}


def differences(kind: str, seeds: int, comparisons: int, studies: int) -> Array:
    """Simulated differences from a baseline, whose means are 0: (studies, seeds, comparisons)."""
    random = np.random.default_rng([SEED, list(KINDS).index(kind), seeds, comparisons])
    cell, baseline = (NOISE[noise] for noise in KINDS[kind])
    own = cell(random, (studies, seeds, comparisons))
    return (own - baseline(random, (studies, seeds, 1))) / np.sqrt(2)


def row(kind: str, planned: Sequence[int], comparisons: int, studies: int) -> dict[str, Any]:
    """The rates of one setting.

    `differs`: studies without a difference in which one is found. `equivalent`: studies whose true
    means all lie on the margin in which one is found within it, on the worse side; the margin is
    so wide that the other side cannot matter. `covers`: intervals that hold their own mean; all of
    a study's do in 1 − `differs`. `width`: mean width relative to Bonferroni's with known sd.
    """
    drawn = differences(kind, planned[-1], comparisons, studies)
    final = looks.intersections(looks.intervals(drawn, planned, comparisons))[-1]
    low, high = final[..., 0], final[..., 1]
    outside = [(high < 0).any(axis=-1).mean(), (low > 0).any(axis=-1).mean()]
    sd = np.sqrt(np.mean([VARIANCE.get(noise, 1.0) for noise in KINDS[kind]]))
    ideal = 2 * stats.norm.ppf(1 - LEVEL / (2 * comparisons)) * sd / np.sqrt(planned[-1])
    return {
        "noise": kind,
        "seeds": "/".join(map(str, planned)),
        "comparisons": comparisons,
        "studies": studies,
        "differs": float(((high < 0) | (low > 0)).any(axis=-1).mean()),
        "equivalent": float(max(outside)),
        "covers": float(((low <= 0) & (high >= 0)).mean()),
        "width": round(float((high - low).mean() / ideal), 4) if np.isfinite(ideal) else None,
    }


def settings() -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Noise, numbers of seeds of the looks, number of comparisons."""
    return itertools.product(KINDS, (*((n,) for n in SEEDS), DEFAULT), COMPARISONS)


def page(rows: Sequence[dict[str, Any]]) -> str:
    """README.md: the table, and where the rule does not keep its promise."""
    shown = [
        [
            *(str(r[key]) for key in ("noise", "seeds", "comparisons")),
            *(f"{100 * r[key]:.1f}" for key in ("differs", "equivalent", "covers")),
            "–" if r["width"] is None else f"{r['width']:.2f}",
        ]
        for r in rows
    ]
    error = new_images.standard_error(rows[0]["studies"])
    worst = []
    for kind in KINDS:
        own = [r for r in rows if r["noise"] == kind]
        over = [r["differs"] for r in own if r["differs"] > LEVEL]
        if over:
            worst.append(
                f"{kind}: {len(over)} of {len(own)} settings, up to {100 * max(over):.1f} %"
            )
    columns = [
        *("noise", "seeds", "comparisons", "differs, %", "equivalent, %", "covers, %", "width")
    ]
    return f"""# How often the verdicts are wrong

Written by `python -m experiments.report.statistics.simulation`:
{rows[0]["studies"]:,} simulated studies in each row, random seed {SEED}. Every study is decided by
the rule of the reports ([docs/studies.md](../../../docs/studies.md)). A difference is the noise of
a cell minus that of the baseline: normal, Student's t with two degrees of freedom (t2),
exponential, or collapsing, which is normal but for the {100 * RARE:g} % of the seeds that fall by
{DEEP:g} sd. Of *exponential cells* and *collapsing cells* the baseline is normal, so that the
differences are skewed. `seeds` is one declared number or the planned looks,
{"/".join(map(str, DEFAULT))}.

*differs*: how often a study without any difference finds one (at most 5 % is promised if they are
normal);
*equivalent*: how often a study whose true differences all lie on the margin finds one within it;
*covers*: how many intervals hold their own mean (all of a study together: 100 − *differs*);
*width*: relative to Bonferroni's interval with a known sd at the last look.

More than {100 * LEVEL:g} % false differences: {"; ".join(worst) or "nowhere"}.
A rate of {100 * LEVEL:g} % has a standard error of {100 * error:.2f} points in a simulation of this
size, so that up to {100 * (LEVEL + 2 * error):.1f} % may be chance.

{tables.markdown(columns, shown, range(2, len(columns)))}
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "python -m experiments.report.statistics.simulation", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to")
    parser.add_argument("--studies", type=int, default=STUDIES, help=f"default {STUDIES:,}")
    options = parser.parse_args(arguments)
    if options.studies < 1:
        parser.error(f"--studies must be at least 1; got {options.studies}")
    rows = [row(*setting, options.studies) for setting in settings()]
    many = new_images.MORE * options.studies
    new = [new_images.row(*setting, many) for setting in new_images.settings()]
    files.write_csv(options.out / "verdicts.csv", rows)
    files.write_csv(options.out / "new_images.csv", new)
    files.write(options.out / "README.md", f"{page(rows)}\n{new_images.part(new)}".encode())
    terminal.say(f"written to {options.out / 'README.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(terminal.call(main))
