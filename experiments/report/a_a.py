"""Measures on real runs how often the report finds a difference where there is none.

    python -m experiments.report.a_a runs/a_a

Takes the study's cell with the most seeds, splits its seeds into disjoint blocks, and compares the
blocks as if they were paddings paired by seed, over many splits. Writes a_a.json into the study's
folder, or to --out.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from experiments import terminal
from experiments.report.compare.reading import read
from experiments.report.statistics.false_findings import false_findings, line
from experiments.run.record import files
from experiments.study.plan import Plan

BLOCKS = (5, 10, 20)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m experiments.report.a_a", description=__doc__)
    parser.add_argument("study", type=Path, help="a study's folder, such as runs/a_a")
    parser.add_argument("--out", type=Path, help="file to write; by default <study>/a_a.json")
    parser.add_argument(
        "--splits",
        type=int,
        default=1000,
        help="number of random splits of the seeds; default 1000",
    )
    options = parser.parse_args(arguments)
    plan = Plan.read(options.study)
    cells = read(options.study, plan=plan, brief=True).cells
    runs = max((list(cell.records.values()) for cell in cells), key=len, default=[])
    blocks = [n for n in BLOCKS if 2 * n <= len(runs)]
    if not blocks:
        parser.error(f"{options.study} has no cell with {2 * BLOCKS[0]} complete seeds")
    margin = plan.declared.margin if plan else 0.3
    name, values = runs[0].cell, [100 * run.results["test_accuracy"] for run in runs]
    found = [false_findings(values, n, margin, options.splits) for n in blocks]
    terminal.say(f"{name}, {len(values)} seeds")
    for each in found:
        terminal.say(line(each, margin))
    out = options.out or options.study / "a_a.json"
    content = {"cell": name, "seeds": len(values), "margin": margin, "values": values}
    files.write_json(out, {**content, "found": [dataclasses.asdict(each) for each in found]})
    terminal.say(f"written to {out}")
    return 0


if __name__ == "__main__":
    sys.exit(terminal.call(main))
