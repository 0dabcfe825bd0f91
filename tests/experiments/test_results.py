"""The tables in the results' page say what the committed reports say."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from statistics import mean, stdev

import pytest

RESULTS = Path(__file__).parents[2] / "experiments" / "results"
FIGURE = re.compile(r"([+−]?\d+\.\d) \[([+−]\d+\.\d), ([+−]\d+\.\d)\]")


def reported(study: str) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(network, padding) -> difference from the baseline, low, high, in points."""
    with open(RESULTS / study / "differences.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["model"], row["cell"]): tuple(round(float(row[k]), 1) for k in ("mean", "low", "high"))
        for row in rows
    }


def table(section: str) -> list[list[str]]:
    """The cells of the first table of a section, row by row, the heading first."""
    page = (RESULTS / "README.md").read_text().split(f"### {section}\n")[1].split("\n### ")[0]
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows]


@pytest.mark.parametrize("study", ["padding_x_model"])
def test_table_of_differences_is_the_reports(study: str) -> None:
    heading, _, *rows = table(study)
    networks = [re.split(r"[ ,]", column)[0] for column in heading[1:]]
    told = {}
    for padding, *cells in rows:
        for network, cell in zip(networks, cells, strict=True):
            if figure := FIGURE.fullmatch(cell):
                numbers = [float(number.replace("−", "-")) for number in figure.groups()]
                told[network, padding.strip("`")] = tuple(numbers)
            else:
                assert cell == "", f"{padding}, {network}: {cell!r} is no figure"
    assert told == reported(study)


@pytest.mark.parametrize("study", ["alexnet_resnet"])
def test_table_of_cells_is_the_reports(study: str) -> None:
    """Network, padding, n, mean and sd over the runs, and the difference from the baseline."""
    accuracies: dict[tuple[str, str], list[float]] = {}
    with open(RESULTS / study / "runs.csv", newline="") as file:
        for row in csv.DictReader(file):
            accuracies.setdefault((row["model"], row["padding"]), []).append(
                100 * float(row["test_accuracy"])
            )
    with open(RESULTS / study / "differences.csv", newline="") as file:
        differences = {
            (row["model"], row["cell"]): "{:+.2f} [{:+.2f}, {:+.2f}]".format(
                *(float(row[key]) for key in ("mean", "low", "high"))
            )
            for row in csv.DictReader(file)
        }
    wanted = {
        cell: [str(len(runs)), f"{mean(runs):.2f} ({stdev(runs):.2f})", differences.get(cell, "")]
        for cell, runs in accuracies.items()
    }
    _, _, *rows = table(study)
    told = {
        (network, padding.strip("`")): [n, accuracy, difference.replace("−", "-")]
        for network, padding, n, accuracy, difference, _ in rows
    }
    assert told == wanted


@pytest.mark.parametrize("page", ["README.md", "experiments/results/README.md"])
def test_withdrawn_sentences_stand_nowhere(page: str) -> None:
    text = " ".join((RESULTS.parents[1] / page).read_text().split())
    for sentence in ("shrugs off", "never behind", "favours none", "the last digits differ"):
        assert sentence not in text
