"""Writes the comparisons of kept reports anew, by today's rule, from the runs that they list.

    python -m experiments.report.kept experiments/results/padding_x_model

A kept report has no runs beside it, only their accuracies in runs.csv and, in correct.csv, the test
items that each has right. From these the command writes differences.csv, contrasts.csv, the tables
of cells, comparisons and contrasts in report.md and report.html, and the pictures that they hold.
What was declared stands in these files too: the looks and what is tuned for each padding in
report.md, k in differences.csv and contrasts.csv. Reports older than correct.csv have no intervals
over new test images. All else stays as it is, such as what is described, and the
comparisons at another epoch, for which no file has the right items.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from experiments import terminal
from experiments.report import writing
from experiments.report.kept.kept_pages import write


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m experiments.report.kept", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="with report.md and runs.csv")
    for folder in parser.parse_args(arguments).folder:
        try:
            report = write(folder)
        except FileNotFoundError as missing:
            parser.error(f"{folder} is no kept report: it has no {Path(missing.filename).name}")
        except (OSError, KeyError, ValueError) as reason:
            parser.error(f"{folder} is no kept report: {reason}")
        for one in report.compared:
            terminal.say("\n" + "\n".join(writing.table(one, report.declared)))
    return terminal.OK


if __name__ == "__main__":
    sys.exit(terminal.call(main))
