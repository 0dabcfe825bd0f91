"""Every figure on the results' pages is recomputed from the committed tables of its section.

A figure is a number with a decimal point that is not part of a command. Of each section's folder
the pools below compute what may be said; a figure that no pool holds fails, with the section named.
What comes from elsewhere is listed in ELSEWHERE with its source.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean, stdev

import pytest

from conf.presets import METRICS, ON
from data.tasks import of_metric

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "experiments" / "results"
MEASURES = (*METRICS, ON)
DECIDED = ("mean", "low", "high", "margin", "p", "new_items_low", "new_items_high")
FIGURE = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)

# Section -> figures that are not results of its folder, and where they come from.
ELSEWHERE = {
    "padding_x_model": {"5.4 8.2": "an earlier version with 7 seeds, whose runs are not kept"},
    "red_green": {
        "89.7 73.7 99.8 8.4 0.5": "Kayhan & van Gemert 2020, table of the red-green experiment",
    },
    "torus": {"2.3 2.7": "the velocity of data/builders/advection.py"},
    "causal_leak": {"35.1 31.5 29.8": "naive predictions, counted on the labels of the test part"},
    "Modes": {"0.02": "3.02 less the 3 points named beside it"},
    "Why": {"0.012 0.274 0.397": "Islam et al. 2020, as cited by posenet/table.md"},
    "Speed": {
        "2.13": "the version of PyTorch",
        "1.0": "the goal",
        "0.25": "a width",
        "1.28": "exploratory, one core, not kept",
    },
}


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def measures(folder: Path) -> dict[tuple[str, str, str], dict[str, float]]:
    """(family, metric, cell) -> seed -> measure in its unit."""
    found: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for path in folder.rglob("runs.csv"):
        for row in rows(path):
            family = row.get("family") or f"{row['model']} on {row['data']}"
            for key, value in row.items():
                if key and key.startswith(MEASURES) and value:
                    found[family, key, row["cell"]][row["seed"]] = of_metric(key).scale * float(
                        value
                    )
    return found


def of_runs(folder: Path) -> Iterator[float]:
    """Means and sds of the cells, and the settings that are part of a family's name."""
    for (family, *_), by_seed in measures(folder).items():
        yield from map(float, FIGURE.findall(family))
        yield mean(by_seed.values())
        if len(by_seed) > 1:
            yield stdev(by_seed.values())


def of_seeds(folder: Path) -> Iterator[float]:
    """Single runs, and differences of paired runs."""
    found = measures(folder)
    for (family, key, _), own in found.items():
        yield from own.values()
        for (family_, key_, _), other in found.items():
            if (family, key) == (family_, key_):
                yield from (own[seed] - other[seed] for seed in set(own) & set(other))


def of_differences(folder: Path) -> Iterator[float]:
    """Every decided figure."""
    for name in ("differences.csv", "contrasts.csv"):
        for path in folder.rglob(name):
            yield from (float(row[key]) for row in rows(path) for key in DECIDED if row.get(key))


def of_border(folder: Path) -> Iterator[float]:
    """Mean error over seeds at each distance to the border, and how many times another it is."""
    for path in folder.rglob("border.csv"):
        rings: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for row in rows(path):
            rings[row["family"], row["distance"], row["cell"]].append(float(row["error"]))
        means = {ring: mean(values) for ring, values in rings.items()}
        yield from means.values()
        for (ring, error), (other, less) in itertools.permutations(means.items(), 2):
            if ring[:2] == other[:2] and less:
                yield error / less


def of_ratios(folder: Path) -> Iterator[float]:
    """How many times the mean of one cell is that of another."""
    means = {key: mean(by_seed.values()) for key, by_seed in measures(folder).items()}
    for (one, value), (other, less) in itertools.permutations(means.items(), 2):
        if one[:2] == other[:2]:
            yield value / less


def of_settings(folder: Path) -> Iterator[float]:
    """How the difference of one padding changes from family to family."""
    by_cell: dict[str, list[float]] = defaultdict(list)
    for row in rows(folder / "differences.csv"):
        if row["mean"]:
            by_cell[row["cell"]].append(float(row["mean"]))
    for means in by_cell.values():
        yield from (a - b for a, b in itertools.permutations(means, 2))


def of_times(folder: Path) -> Iterator[float]:
    """Median minutes of a cell's runs."""
    for path in folder.rglob("timings.csv"):
        cells = defaultdict(list)
        for row in rows(path):
            cells[row["cell"]].append(float(row["train_seconds"]) / 60)
        for minutes in cells.values():
            yield sorted(minutes)[len(minutes) // 2]


def of_report(folder: Path) -> Iterator[float]:
    """What the written report describes beyond its tables' columns, such as other subsets."""
    for path in folder.rglob("report.md"):
        yield from map(float, FIGURE.findall(path.read_text()))


def of_why(_: Path) -> Iterator[float]:
    """Means of the probes and of PosENet's readers."""
    for path, keys in (
        (RESULTS / "why" / "probes.csv", ("padding",)),
        (RESULTS / "posenet" / "table.csv", ("pictures", "reader", "pad", "map")),
    ):
        groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for row in rows(path):
            for key, value in row.items():
                if key not in (*keys, "seed", "cell") and value:
                    groups[(key, *(row[k] for k in keys))].append(float(value))
        for values in groups.values():
            yield mean(values)
            yield 100 * mean(values)


def of_trust(_: Path) -> Iterator[float]:
    """Rates in per cent and widths of the simulations, and of the splits of real runs."""
    for path in (RESULTS / "verdicts").glob("*.csv"):
        for row in rows(path):
            for value in row.values():
                if re.fullmatch(r"\d+\.\d+", value or ""):
                    yield float(value)
                    yield 100 * float(value)
    yield from _numbers(json.loads((RESULTS / "a_a" / "a_a.json").read_text()))


def of_speed(_: Path) -> Iterator[float]:
    """Ratios with their quartiles, the medians of the ratios to a bare fit, and milliseconds by
    operation.
    """
    for path in (RESULTS / "loop").rglob("loop.csv"):
        found = rows(path)
        yield from (float(row[k]) for row in found for k in ("ratio", "ratio_q1", "ratio_q3"))
        bare = sorted(float(r["ratio"]) for r in found if r["compared_with"] == "bare fit")
        yield (bare[(len(bare) - 1) // 2] + bare[len(bare) // 2]) / 2
    for path in (RESULTS / "loop").rglob("operations.csv"):
        yield from (
            float(row[f"{side}_ms"]) for row in rows(path) for side in ("padzoo", "PyTorch")
        )


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
    elif isinstance(value, float):
        yield value
        yield 100 * value


POOLS = {
    "red_green": (of_report,),
    "alexnet_resnet": (of_times,),
    "mnist": (of_seeds,),
    "tuning": (of_settings,),
    **dict.fromkeys(("border_reconstruction", "border_superresolution"), (of_border,)),
    **dict.fromkeys(("border_segmentation", "zoo_images"), (of_border,)),
    **dict.fromkeys(("torus", "walls"), (of_border, of_ratios)),
    "Modes": (of_seeds,),
    "Why": (of_why,),
    "Trust": (of_trust,),
    "Speed": (of_speed,),
}


def told(numbers: Iterable[float]) -> set[str]:
    """The numbers as a page may write them: without sign, to three decimals or digits."""
    found = [abs(number) for number in numbers]
    decimals = {f"{number:.{digits}f}" for number in found for digits in (1, 2, 3)}
    small = [number for number in found if number < 1]
    significant = {f"{number:#.{digits}g}" for number in small for digits in (2, 3)}
    return decimals | significant | {f"{number:.4f}" for number in small}


def sections(page: Path) -> dict[str, str]:
    parts = re.split(r"\n(?=##+ )", page.read_text())
    return {part.partition("\n")[0].lstrip("# "): part for part in parts}


def unknown(section: str, text: str) -> list[str]:
    """The figures of a text that the tables of a section do not hold."""
    folder = RESULTS / section.lower().replace(" ", "_")
    pools = (of_runs, of_differences, *POOLS.get(section, ()))
    known = told(number for pool in pools for number in pool(folder))
    known |= {
        f"0{n}" if n[0] == "." else n for one in ELSEWHERE.get(section, {}) for n in one.split()
    }
    return [figure for figure in FIGURE.findall(CODE.sub("", text)) if figure not in known]


PAGE = sections(RESULTS / "README.md")


@pytest.mark.parametrize("section", [name for name in PAGE if name != "Results"])
def test_every_figure_of_a_section_follows_from_its_tables(section: str) -> None:
    assert unknown(section, PAGE[section]) == []


def test_every_figure_of_the_front_pages_table_follows_from_its_tables() -> None:
    page = (ROOT / "README.md").read_text()
    lines = re.findall(r"^\| \[.*?README\.md#?(\w*)\) (\|.*)$", page, re.MULTILINE)
    assert len(lines) >= 5
    for section, line in lines:
        assert (section, unknown(section or "Why", line)) == (section, [])


@pytest.mark.parametrize("section", ["red_green", "causal_leak", "even_kernels"])
def test_most_figures_would_be_found_if_they_were_changed(section: str) -> None:
    """A pool holds a changed figure now and then by chance; the tables have tests of their own."""
    figures = FIGURE.findall(CODE.sub("", PAGE[section]))
    changed = [f"{float(figure) + 0.3:.1f}" for figure in figures]
    assert len(unknown(section, " ".join(changed))) > 0.5 * len(changed)


def test_the_accuracies_of_the_front_page_are_those_of_a_study_or_of_the_first_table() -> None:
    page = sections(ROOT / "README.md")["Accuracies so far"]
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    folders = (RESULTS / name for name in ("architectures", "causal_leak", "red_green"))
    known = told(number for folder in folders for number in of_runs(folder))
    known |= set(FIGURE.findall(PAGE["Results"]))
    assert len(lines) >= 8
    for line in lines:
        figures = FIGURE.findall(CODE.sub("", line))
        assert figures and set(figures) <= known, line
