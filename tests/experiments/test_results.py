"""The tables in the results' page say what the committed reports say."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from experiments.report.statistics.verdict import compare

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
def test_every_interval_is_one_of_a_committed_report(page: str) -> None:
    """Those that decide and those over new test images, to the digits that are told."""
    known = {
        tuple(f"{float(row[f'{kind}{end}']):+.{digits}f}" for end in ("low", "high"))
        for name in ("differences.csv", "contrasts.csv")
        for file in RESULTS.rglob(name)
        for row in csv.DictReader(file.read_text().splitlines())
        for kind in ("", "new_items_")
        for digits in (1, 2, 3, 4)
        if row.get(f"{kind}low")
    }
    known |= {interval(told) for told in ("reflect", "valid")}
    text = (RESULTS.parents[1] / page).read_text()
    found = re.findall(r"\[([+−]\d+\.\d+),\s([+−]\d+\.\d+)\]", text)
    assert len(found) > 5
    assert [pair for pair in found if tuple(n.replace("−", "-") for n in pair) not in known] == []


def interval(padding: str) -> tuple[str, ...]:
    """Of the first table, whose runs are told seed by seed: two comparisons, five seeds."""
    page = " ".join((RESULTS / "README.md").read_text().split())
    (told,) = re.findall(r"Seeds 0 to 4 one by one: ([^.]*\d\.\d[^;]*;.*?)causal_conv1d", page)
    seeds = {
        name: np.array([float(value) for value in values.split(",")])
        for name, values in re.findall(r"(\w+) ((?:\d+\.\d+(?:, )?)+)", told)
    }
    found = {"same": seeds["same"], padding: seeds[padding]}
    (one,) = compare(found, "same", comparisons=len(seeds) - 1)
    assert one.low is not None and one.high is not None
    return f"{one.low:+.2f}", f"{one.high:+.2f}"


@pytest.mark.parametrize("page", ["README.md", "experiments/results/README.md"])
def test_withdrawn_sentences_stand_nowhere(page: str) -> None:
    text = " ".join((RESULTS.parents[1] / page).read_text().split())
    withdrawn = ("shrugs off", "never behind", "favours none", "the last digits differ")
    for sentence in (*withdrawn, "less than chance", "too few seeds to test", "imultaneous"):
        assert sentence not in text
