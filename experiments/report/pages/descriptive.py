"""Metrics that are described but not tested: validation, classes, margins, subsets."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from experiments.report.compare.differences import Compared
from experiments.report.compare.reading import BALANCED_ACCURACY, ON, TEST_ACCURACY, Cell, balanced
from experiments.report.pages.document import (
    Block,
    Entry,
    Heading,
    Paragraph,
    Table,
    number,
    signed,
)
from experiments.report.statistics.paired import paired_interval
from experiments.run.record.tables import Marked

CUT = "where the border cuts"
ROUNDING = 1e-9
Results = dict[str, Any]


def blocks(compared: list[Compared], primary: str) -> list[Block]:
    """A table per family: all other metrics of each cell, and differences from the baseline."""
    found: list[Block] = []
    for one in compared:
        if rows := _rows(one, primary):
            columns = ["metric", "padding", "n", "mean", "sd"]
            columns += [Marked(f"− {one.baseline} [95 %]")] if one.baseline else []
            found += [Heading(one.family.title, 3), Table(columns, rows), *_classes(one)]
    if not found:
        return []
    return [
        Heading("Described, not tested"),
        Paragraph(
            "Accuracies in per cent on the validation split, on subsets of the test split and by "
            "margin, the distance in pixels from the object to the border; differences are paired "
            "over the shared seeds, each with its own interval. Where the classes of the test "
            "split are of unequal size: balanced accuracy, the mean over the classes of their "
            "accuracies, and the accuracy on each class."
        ),
        *found,
    ]


def unequal(one: Compared) -> bool:
    """Whether the test split's classes are of unequal size.

    Then a run's accuracy, in which each example counts the same, is not its balanced accuracy, in
    which each class does.
    """
    return any(
        (even := balanced(results)) is not None
        and abs(even - 100 * results["test_accuracy"]) > ROUNDING
        for results in _results(one)
    )


def _results(one: Compared) -> list[Results]:
    return [r.results for cell in one.family.cells.values() for r in cell.records.values()]


def _classes(one: Compared) -> list[Table]:
    """One row for each class, with the means over the seeds of every cell."""
    if not unequal(one):
        return []
    classes = dict.fromkeys(c for r in _results(one) for c in r.get("per_class_accuracy", {}))
    rows: list[list[Entry]] = []
    for each in classes:
        found = (_measured(cell, _of_class(each)).values() for cell in one.family.cells.values())
        rows.append([each, *(number(statistics.mean(v) if v else None) for v in found)])
    return [Table(["test accuracy on class", *map(one.family.shown, one.family.cells)], rows)]


def _of_class(name: str) -> Callable[[Results], float | None]:
    return lambda results: _per_cent(results.get("per_class_accuracy", {}).get(name))


def where_cut(results: Results) -> float | None:
    """Test accuracy in per cent on objects that the border cuts; None without margins."""
    bins = [b for name, b in results.get("accuracy_by_margin", {}).items() if _is_cut(name)]
    if not bins:
        return None
    return 100 * sum(b["accuracy"] * b["n"] for b in bins) / sum(b["n"] for b in bins)


def _is_cut(name: str) -> bool:
    return name.startswith("below") or name.endswith(" 0")


def _rows(one: Compared, primary: str) -> list[list[Entry]]:
    rows = []
    for metric, measure in _measures(one, primary).items():
        values = {name: _measured(cell, measure) for name, cell in one.family.cells.items()}
        base = values.get(one.baseline or "", {})
        for name, by_seed in values.items():
            if by_seed:
                numbers = list(by_seed.values())
                sd = statistics.stdev(numbers) if len(numbers) > 1 else None
                row = [metric, one.family.shown(name), number(len(numbers), "d")]
                row += [number(statistics.mean(numbers)), number(sd)]
                if one.baseline:
                    row.append(_difference(one, name, by_seed, base))
                rows.append(row)
    return rows


def _difference(
    one: Compared, name: str, values: dict[int, float], base: dict[int, float]
) -> Entry:
    shared = sorted(set(values) & set(base))
    refused = name in one.left_out and one.left_out[name].difference is None
    if name == one.baseline or refused or len(shared) < 2:
        return "–"
    return signed(*paired_interval([values[s] for s in shared], [base[s] for s in shared]))


def _measures(one: Compared, primary: str) -> dict[str, Callable[[Results], float | None]]:
    """All metrics except the primary one that at least one run of the family has."""
    results = _results(one)
    margins = dict.fromkeys(name for r in results for name in r.get("accuracy_by_margin", {}))
    subsets = dict.fromkeys(name for r in results for name in r.get("accuracy_by_subset", {}))
    measures: dict[str, Callable[[Results], float | None]] = {}
    if primary != TEST_ACCURACY and any(r["test_accuracy"] is not None for r in results):
        measures["test accuracy"] = lambda r: _per_cent(r["test_accuracy"])
    if primary != BALANCED_ACCURACY and unequal(one):
        measures["balanced accuracy"] = balanced
    if any(r.get("validation_accuracy") is not None for r in results):
        measures["validation accuracy"] = lambda r: _per_cent(r.get("validation_accuracy"))
    if margins:
        measures[f"test accuracy {CUT}"] = where_cut
    for name in margins:
        measures[f"margin {name}"] = _within("accuracy_by_margin", name)
    for name in subsets:
        if primary != f"{ON}{name}":
            measures[f"accuracy on {name}"] = _within("accuracy_by_subset", name)
    return measures


def _within(group: str, name: str) -> Callable[[Results], float | None]:
    return lambda results: _per_cent(results.get(group, {}).get(name, {}).get("accuracy"))


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _measured(cell: Cell, measure: Callable[[Results], float | None]) -> dict[int, float]:
    found = {seed: measure(record.results) for seed, record in cell.records.items()}
    return {seed: value for seed, value in found.items() if value is not None}
