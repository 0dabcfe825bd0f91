"""A kept report: what it declares and compares, from its committed files."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from data.tasks import CLASSIFICATION, TASKS, TEST, TESTED, Task, of_metric
from data.tasks.metrics import is_metric, measured
from experiments.report.compare import contrasts, correct
from experiments.report.compare.contrasts import Contrasts, Effect
from experiments.report.compare.differences import Declared, against_baseline
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell, Record, Study
from experiments.report.compare.tested_items import Items
from experiments.report.pages.content import Report

CONFIG = cast(Any, None)  # of a kept run only the label of its padding is known
TUNED = re.compile(r"[(,] ?(\w+) [^,)]+")  # a setting in the brackets behind a padding
NOT_KEPT = ("older than its declaration", ": no contrast, ")  # it depends on the plan
Row = dict[str, str]


@dataclass(frozen=True)
class KeptCell(Cell):
    """A cell of runs.csv."""

    padding: str = ""
    measure: str = TASKS[CLASSIFICATION].measure

    @property
    def label(self) -> str:
        return self.padding

    @property
    def task(self) -> Task:
        return of_metric(self.measure)


@dataclass(frozen=True)
class KeptFamily(Family):
    """A family of runs.csv.

    Attributes:
        told: name -> the cell as report.md shows it, with what was tuned for it.
    """

    told: Mapping[str, str] = field(default_factory=dict)

    def shown(self, name: str) -> str:
        return self.told.get(name) or super().shown(name)

    def chosen(self, name: str) -> str:
        return self.told.get(name, "").removeprefix(name.partition(" (")[0])

    @property
    def tuned_words(self) -> str:
        settings = (word for name in self.cells for word in TUNED.findall(self.chosen(name)))
        return " and ".join(dict.fromkeys(settings))


def read(folder: Path) -> Report:
    """The report of a folder's runs.csv, with the declaration of its differences.csv."""
    runs, before = _rows(folder / "runs.csv"), _rows(folder / "differences.csv")
    text = (folder / "report.md").read_text()
    told = re.search(
        r"Baseline (.+), primary metric (.+?), (?:of which|equivalence)", text.replace("\\", "")
    )
    baseline, metric = told.groups() if told else (before[0]["baseline"], "test_accuracy")
    for part in NOT_KEPT:
        if part in text:
            raise ValueError(f"its files do not hold what {part.strip()!r} needs: report its runs")
    margins = [float(row["margin"]) for row in before if row["margin"]]
    looks = re.search(r"Looks at ([\d, ]+) seeds, at the levels", text)
    planned = tuple(map(int, looks[1].split(", "))) if looks else ()
    declared = Declared(baseline, metric, margins[0] if margins else 0.3, planned)
    for row in before:  # whether runs may be paired is not seen in runs.csv
        if re.search("differ in|differs from", why := row.get("not_compared") or ""):
            raise ValueError(f"{row['cell']} was not compared, it {why}")
    items, curves = _items(folder, measured(metric).scale), _curves(folder / "curves.csv")
    families: dict[str, dict[str, Cell]] = {}
    measure = next(n.removeprefix(TEST) for n in TESTED if n in runs[0])
    for row in runs:
        row.setdefault("family", f"{row['model']} on {row['data']}")
        cells = families.setdefault(row["family"], {})
        cell = cells.get(row["padding"]) or KeptCell(
            row["cell"],
            CONFIG,
            {},
            tuple(row.get("aliases", "").split()),
            padding=row["padding"],
            measure=measure,
        )
        if cell.name != row["cell"]:
            raise ValueError(f"{folder / 'runs.csv'}: two cells are named {row['padding']}")
        run = row["cell"], int(row["seed"])
        record = _record(row, items.get(run), curves.get((row["cell"], row["seed"]), []))
        if record.items and not math.isclose(
            record.items.points, record.points(metric) or 0, rel_tol=1e-6, abs_tol=1e-9
        ):
            raise ValueError(f"correct.csv and runs.csv disagree on {record.cell}, {record.seed}")
        cell.records[record.seed] = record
        cells[row["padding"]] = cell
    first = {row["family"]: row for row in runs}
    compared = []
    every_shown = _shown(text, [name for cells in families.values() for name in cells])
    for title, cells in families.items():
        model, data = first[title]["model"], first[title]["data"]
        shown = {name: next(every_shown) for name in cells}
        family = KeptFamily(model, data, _apart(title, model, data), cells, told=shown)
        own = [row for row in before if row.get("family", title) == title]
        one = against_baseline(family, _with_numbers(declared, own))
        compared.append(one)
    every = [cell for one in compared for cell in one.family.cells.values()]
    crossed = _contrasts(folder / "contrasts.csv", [one.family for one in compared], declared)
    return Report(Study(folder, None, every), declared, compared, crossed)


def _items(folder: Path, scale: float) -> dict[tuple[str, int], Items]:
    """(cell, seed) -> its test items; empty for a report older than correct.csv."""
    path = folder / "correct.csv"
    return correct.read(_rows(path), scale) if path.exists() else {}


def _with_numbers(declared: Declared, before: Sequence[Row]) -> Declared:
    """The declaration with what the lines of a family, or of the contrasts, say of it: k, and the
    number of seeds, if no looks were declared.
    """
    decided = [row for row in before if row.get("comparisons")]
    k = max((int(row["comparisons"]) for row in decided), default=0)
    n = max((int(row["n"]) for row in decided), default=0)
    looks = declared.looks or ((n,) if n else ())
    return dataclasses.replace(declared, comparisons=k, looks=looks)


def _shown(text: str, names: Sequence[str]) -> Iterator[str]:
    """Each cell as the table of cells shows it, in which all stand in the order of runs.csv."""
    _, found, table = text.replace("\\_", "_").partition("\n| network | ")
    if not found:
        return iter(names)
    head, _, *lines = table.partition("\n\n")[0].split("\n")
    place = 1 + head.split(" | ").index("padding")
    shown = [line.removeprefix("| ").split(" | ")[place] for line in lines]
    return iter(shown if len(shown) == len(names) else names)


def _contrasts(path: Path, families: Sequence[Family], declared: Declared) -> Contrasts:
    """The contrasts that the file names, computed anew."""
    before = _rows(path) if path.exists() else []
    found: dict[str, tuple[Effect, Effect]] = {}
    for a, b in itertools.permutations(families, 2):
        keys = [*["model"] * (a.data == b.data), *["data"] * (a.model == b.model)]
        paddings = [p for name, cell in a.cells.items() for p in (name, *cell.aliases)]
        for key, padding in itertools.product(keys, paddings):
            name = contrasts.named(padding, key, a, b)
            if any(row["contrast"] == name for row in before):
                own, other = (contrasts.effect(one, padding, declared) for one in (a, b))
                found[name] = own, other
    if missing := [row["contrast"] for row in before if row["contrast"] not in found]:
        raise ValueError(f"runs.csv does not hold the contrast {missing[0]}")
    ordered = {row["contrast"]: found[row["contrast"]] for row in before}
    return contrasts.decided(ordered, _with_numbers(declared, before))


def _record(row: Row, items: Items | None, curve: list[dict[str, float]]) -> Record:
    """A run as its line tells it."""
    results: dict[str, Any] = {
        name: float(value) if value else None for name, value in row.items() if is_metric(name)
    }
    for name in ("parameters", "macs", "epochs"):
        results[name] = int(row[name]) if row[name] else None
    if size := row.get("final_map_size"):
        results["final_map_size"] = size.split("x")
    return Record(row["cell"], int(row["seed"]), CONFIG, results, [], None, curve, items)


def _apart(title: str, model: str, data: str) -> dict[str, str]:
    """The settings in a family's title: `model, setting value, … on data`."""
    own = title.removeprefix(model).removesuffix(f" on {data}").split(", ")[1:]
    pairs = (setting.partition(" ") for setting in own)
    return {name if value else "backend": value or name for name, _, value in pairs}


def _curves(path: Path) -> dict[tuple[str, str], list[dict[str, float]]]:
    """(cell, seed) -> the epochs of the run."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for row in _rows(path) if path.exists() else ():
        run = row.pop("cell"), row.pop("seed")
        found.setdefault(run, []).append({k: float(v) for k, v in row.items() if v})
    return found


def _rows(path: Path) -> list[Row]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
