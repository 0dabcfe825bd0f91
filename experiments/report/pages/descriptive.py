"""Metrics that are described but not tested: validation, classes, margins, subsets."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from data.tasks import TEST, VALIDATION
from data.tasks.metrics import BALANCED, BY_MARGIN, ON, measured
from experiments.report.compare.differences import Compared
from experiments.report.compare.reading import (
    TEST_ACCURACY,
    Cell,
    Record,
    balanced,
    recorded,
)
from experiments.report.pages.document import (
    Block,
    Entry,
    Heading,
    Paragraph,
    Table,
    Value,
    difference,
    number,
)
from experiments.report.pages.pictures import plots
from experiments.report.statistics.numbers import plain, signed
from experiments.report.statistics.paired import paired_interval
from experiments.run.record.tables import Marked

CUT = "where the border cuts"
ROUNDING = 1e-9
Results = dict[str, Any]
Measure = Callable[[Results], float | None]


def of_cells(compared: Sequence[Compared], metric: str) -> list[Block]:
    """The table of cells, with its heading."""
    return [
        Heading("Cells"),
        Paragraph(
            "A cell is one configuration with all its seeds. "
            f"{_told(metric)} at the tested epoch; "
            "sd is the sample standard deviation over seeds. Mean and sd are over all n; where the "
            "verdict is about fewer, n says so."
        ),
        cells(compared, metric),
    ]


def _told(metric: str) -> str:
    """The primary metric and its unit, at the start of a sentence."""
    unit, name = measured(metric).unit, plots.named(metric)
    told = {"%": " in per cent", "": ""}.get(unit, f" in {unit}")
    return f"{name[0].upper()}{name[1:]}{told}"


def counted(one: Compared, name: str, metric: str) -> str:
    """The number of a cell's seeds, and how many of them the verdict is about, if it is fewer.

    Example: "25, 20 in the verdict".
    """
    n = len(one.family.cells[name].points(metric))
    judged = name == one.baseline or one.of(name) is not None
    looked = any(c.level is not None for c in one.comparisons)
    fewer = judged and looked and 0 < len(one.seeds) < n
    return f"{n}, {len(one.seeds)} in the verdict" if fewer else str(n)


def cells(compared: Sequence[Compared], metric: str) -> Table:
    """One row per cell; if families share network and data, columns show what differs."""
    settings = dict.fromkeys(key for one in compared for key in one.family.differs)
    columns = ["network", "data", *map(Marked, settings), "padding", "n", "mean", "sd"]
    columns += ["seed by seed", "parameters", "MACs", "final map"]
    rows: list[list[Entry]] = []
    for one in compared:
        family = one.family
        for name, cell in family.cells.items():
            values = cell.points(metric)
            first = next(iter(cell.records.values()))
            own = [family.differs.get(key, "") for key in settings]
            head: list[Entry] = [family.model, family.data, *own, family.shown(name)]
            head.append(Value(counted(one, name, metric), len(values)))
            unit = measured(metric).unit
            by_seed = ", ".join(plain(value, unit) for value in values.values())
            rows.append([*head, *spread(list(values.values()), unit), by_seed, *_cost(first)])
    return Table(columns, rows)


def spread(values: list[float], unit: str) -> Sequence[Entry]:
    """Mean and sd; dashes for those that need more values."""
    form = ".2f" if unit else ".4g"
    sd = statistics.stdev(values) if len(values) > 1 else None
    return [number(statistics.mean(values) if values else None, form), number(sd, form)]


def _cost(record: Record) -> list[Entry]:
    results = record.results
    final = "×".join(map(str, results.get("final_map_size", ()))) or "–"
    return [number(results.get("parameters"), ","), number(results.get("macs"), ","), final]


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
            "Measures on the validation split; accuracies in per cent on subsets of the test split "
            "and by margin, the distance in pixels from the object to the border; differences are "
            "paired over the shared seeds, each with its own interval. Where the classes of the "
            "test split are of unequal size: balanced accuracy, the mean over the classes of their "
            "accuracies, and the accuracy on each class. Where a split's accuracy is that on "
            "one of the subsets in every run, it stands under the subset's name."
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
        and abs(even - 100 * results[TEST_ACCURACY]) > ROUNDING
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


def _of_class(name: str) -> Measure:
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
    task = one.family.task
    units = {
        plots.named(n): measured(n) for n in (f"{s}{task.measure}" for s in (TEST, VALIDATION))
    }
    for metric, measure in _measures(one, primary).items():
        of = units.get(metric, measured(BALANCED))
        values = {name: _measured(cell, measure) for name, cell in one.family.cells.items()}
        base = values.get(one.baseline or "", {})
        for name, by_seed in values.items():
            if by_seed:
                row = [metric, one.family.shown(name), number(len(by_seed), "d")]
                row += spread(list(by_seed.values()), of.unit)
                if one.baseline:
                    row.append(_difference(one, name, by_seed, base, of.difference_unit))
                rows.append(row)
    return rows


def _difference(
    one: Compared, name: str, values: dict[int, float], base: dict[int, float], unit: str
) -> Entry:
    shared = sorted(set(values) & set(base))
    refused = name in one.left_out and one.left_out[name].difference is None
    if name == one.baseline or refused or len(shared) < 2:
        return "–"
    apart = [values[seed] - base[seed] for seed in shared]
    if max(apart) - min(apart) <= ROUNDING:  # an interval of no width would say that it is certain
        same = abs(apart[0]) <= ROUNDING
        return "a tie" if same else Value(f"{signed(apart[0], unit)} in every seed", apart[0])
    return difference(
        *paired_interval([values[s] for s in shared], [base[s] for s in shared]), unit
    )


def _measures(one: Compared, primary: str) -> dict[str, Measure]:
    """All metrics except the primary one that at least one run of the family has, each once.

    A subset may be what accuracy on its split means; then it stands under the subset's name.
    """
    results = _results(one)
    margins = dict.fromkeys(name for r in results for name in r.get("accuracy_by_margin", {}))
    subsets = dict.fromkeys(name for r in results for name in r.get("accuracy_by_subset", {}))
    measures: dict[str, Measure] = {}
    of_primary = _primary(primary)
    wholes = [of_primary] if measured(primary).unit == "%" else []
    task = one.family.task
    if primary != BALANCED and unequal(one):
        measures["balanced accuracy"] = balanced
    for split in (TEST, VALIDATION):
        name = f"{split}{task.measure}"
        if name != primary and any(r.get(name) is not None for r in results):
            measures[plots.named(name)] = _scaled(name, task.scale)
            wholes.append(measures[plots.named(name)])
    if margins:
        measures[f"test accuracy {CUT}"] = where_cut
    for name in margins:
        if primary != f"{BY_MARGIN}{name}":
            measures[f"margin {name}"] = _within("accuracy_by_margin", name)
    for name in subsets:
        inside = _within("accuracy_by_subset", name)
        equal = [whole for whole in wholes if _alike(whole, inside, results)]
        for label in [label for label, whole in measures.items() if whole in equal]:
            del measures[label]
        if primary != f"{ON}{name}" and of_primary not in equal:
            measures[f"accuracy on {name}"] = inside
    return measures


def _primary(metric: str) -> Measure:
    def of_run(results: Results) -> float | None:
        value = recorded(results, metric)
        return None if value is None else measured(metric).scale * value

    return of_run


def _alike(one: Measure, other: Measure, results: list[Results]) -> bool:
    """Whether two measures are the same number in every run, and not in each the same one, as
    those of different subsets may be.
    """
    pairs = [(one(of_run), other(of_run)) for of_run in results]
    equal = all(a is not None and b is not None and abs(a - b) <= ROUNDING for a, b in pairs)
    return equal and len({a for a, _ in pairs}) > 1


def _scaled(name: str, scale: float) -> Measure:
    def of_run(results: Results) -> float | None:
        value = results.get(name)
        return None if value is None else scale * value

    return of_run


def _within(group: str, name: str) -> Measure:
    return lambda results: _per_cent(results.get(group, {}).get(name, {}).get("accuracy"))


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _measured(cell: Cell, measure: Measure) -> dict[int, float]:
    found = {seed: measure(record.results) for seed, record in cell.records.items()}
    return {seed: value for seed, value in found.items() if value is not None}
