"""The content of a report: cells, comparisons and missing runs as blocks of a document."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.report.compare.differences import Compared, Declared
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Absent, Cell, Record, Study
from experiments.report.compare.remarks import remarks
from experiments.report.pages import descriptive, origins, plots
from experiments.report.pages.document import (
    Block,
    Entry,
    Heading,
    Items,
    Paragraph,
    Picture,
    Table,
    Value,
    number,
    signed,
)
from experiments.report.statistics.paired import interval
from experiments.report.statistics.verdict import Comparison
from experiments.run.record.tables import Marked


@dataclass(frozen=True)
class Report:
    """The data from which a report is written."""

    study: Study
    declared: Declared
    compared: list[Compared]

    @property
    def families(self) -> list[Family]:
        return [one.family for one in self.compared]


def blocks(report: Report, pictures: Sequence[Picture]) -> list[Block]:
    """The whole report, with measured times at the end."""
    return [
        Heading(report.study.path.name, 1),
        *_opening(report),
        *_gaps(report.study),
        *(pictures[:1] if pictures else []),
        Heading("Cells"),
        Paragraph(
            "A cell is one configuration with all its seeds. "
            f"{plots.named(report.declared.metric).capitalize()} in per cent at the tested epoch; "
            "sd is the sample standard deviation over seeds, the interval is Student's t."
        ),
        cells(report),
        *_comparisons(report),
        *pictures[1:],
        *descriptive.blocks(report.compared, report.declared.metric),
        *origins.blocks(report.study),
    ]


def cells(report: Report) -> Table:
    """One row per cell; if families share network and data, columns show what differs."""
    settings = dict.fromkeys(key for family in report.families for key in family.differs)
    columns = ["network", "data", *map(Marked, settings), "padding", "n", "mean", "sd", "95 %"]
    columns += ["seed by seed", "parameters", "MACs", "final map"]
    rows = []
    for family in report.families:
        for name, cell in family.cells.items():
            values = points(cell, report.declared.metric)
            first = next(iter(cell.records.values()))
            own = [family.differs.get(key, "") for key in settings]
            head = [family.model, family.data, *own, family.shown(name), number(len(values), "d")]
            by_seed = ", ".join(f"{value:.2f}" for value in values.values())
            rows.append([*head, *spread(list(values.values())), by_seed, *_cost(first)])
    return Table(columns, rows)


def tables(report: Report) -> dict[str, Table]:
    """The tables of cells and of comparisons, by name."""
    compared = {
        f"against_{report.declared.baseline}/{one.family.title}": _table(one)
        for one in report.compared
        if one.comparisons
    }
    return {"cells": cells(report), **compared}


def points(cell: Cell, metric: str) -> dict[int, float]:
    """seed -> the metric in per cent."""
    found = {seed: record.points(metric) for seed, record in cell.records.items()}
    return {seed: value for seed, value in found.items() if value is not None}


def spread(values: list[float]) -> Sequence[Entry]:
    """Mean, sd and interval; dashes for those that need more values."""
    if not values:
        return ["–"] * 3
    if len(values) == 1:
        return [number(values[0]), "–", "–"]
    mean, low, high = interval(values)
    return [number(mean), number(statistics.stdev(values)), f"[{low:.2f}, {high:.2f}]"]


def _cost(record: Record) -> list[Entry]:
    results = record.results
    final = "×".join(map(str, results.get("final_map_size", ()))) or "–"
    return [number(results.get("parameters"), ","), number(results.get("macs"), ","), final]


def _opening(report: Report) -> list[Block]:
    study, declared = report.study, report.declared
    asked = study.plan.declared.question if study.plan else None
    how = (
        f"Baseline {declared.baseline}, primary metric {declared.metric}, equivalence margin "
        f"{declared.margin:g} points (smaller differences are negligible)"
    )
    if declared.afterwards:
        chosen = " and ".join(declared.afterwards)
        how += f"; the {chosen} chosen afterwards, when the runs were complete"
        was = [f"{n} {getattr(study.plan.declared, n)}" for n in declared.afterwards if study.plan]
        how += f" (declared: {', '.join(was)})" if was else ""
    elif study.plan:
        how += ": declared before the first run"
    else:
        how += ": the defaults, because nothing was declared"
    lines = [Paragraph(asked)] if asked else []
    lines.append(Paragraph(f"{how}. All other metrics are described, not tested."))
    if study.plan:
        missing = sum(run.planned for run in study.absent)
        lines.append(
            Paragraph(f"{study.planned - missing} of {study.planned} planned runs are complete.")
        )
    return [*lines]


def _gaps(study: Study) -> list[Block]:
    """The runs that are not in the report, and why."""
    found: list[Block] = []
    if study.absent:
        found += [Heading("Missing runs"), Items([gap(study, run) for run in study.absent])]
    if study.unplanned:
        found += [
            Heading("Not planned"),
            Paragraph("Complete runs that are not in the plan, and are not compared:"),
            Items([f"{cell}, seed {seed}" for cell, seed in study.unplanned]),
        ]
    if study.plan and study.plan.not_applicable:
        found += [
            Heading("Not applicable"),
            Items(
                [f"{n.model}, {n.padding}, {n.data}: {n.why}" for n in study.plan.not_applicable]
            ),
        ]
    return found


def gap(study: Study, run: Absent) -> str:
    """A line about a run that is not in the report."""
    unasked = " (not planned)" if study.plan and not run.planned else ""
    return f"{run.cell}, seed {run.seed}{unasked}: {run.why}"


COLUMNS = (
    "comparison",
    "n",
    "same test images [95 %]",
    "simultaneous [95 %]",
    "new test images [95 %]",
    "p, family",
    "p, equivalence",
    "verdict",
    "correlation",
    "pairing gained",
)


def _comparisons(report: Report) -> list[Block]:
    found: list[Block] = []
    for one in report.compared:
        said = remarks(one.family, report.declared.metric)
        if not one.comparisons and not one.left_out and not said:
            continue
        found.append(Heading(one.family.title, 3))
        if said:
            found.append(Items(said))
        if one.comparisons:
            found.append(Items([sentence(one, c) for c in one.comparisons]))
            found.append(_table(one))
        if one.left_out:
            found.append(Items([left_out(one, name) for name in one.left_out]))
    if not found:
        return []
    return [
        Heading(f"Against {report.declared.baseline}"),
        Paragraph(
            "Differences in points, paired by seed, within each family: the cells that differ only "
            "in the padding. Same test images: interval over new seeds on these test images "
            "(Student's t). Simultaneous: intervals that together cover all comparisons of a "
            "table. New test images: a bootstrap over seeds and test items (over sources, if "
            "several items are made from one source). p, family: exact max-T test that flips the "
            f"signs of whole seeds. p, equivalence: two one-sided tests at ±"
            f"{report.declared.margin:g}. Correlation: between the two accuracies over seeds. "
            "Pairing gained: how many times as many seeds an unpaired study would need for an "
            "interval of the same width."
        ),
        *found,
    ]


def sentence(one: Compared, comparison: Comparison) -> str:
    """A comparison in plain words."""
    said = str(comparison).replace(comparison.name, one.family.shown(comparison.name), 1)
    if comparison.p is None or comparison.name not in one.new_items:
        return said
    low, high = one.new_items[comparison.name]
    return f"{said}; on new test images [{low:+.2f}, {high:+.2f}]"


def left_out(one: Compared, name: str) -> str:
    """Why a cell is not compared, and a description of it if possible."""
    found = one.left_out[name]
    said = f"{one.family.shown(name)}: not compared, {found.why}"
    if found.difference is None:
        return said
    n, mean, low, high = found.difference
    return f"{said}; over the {n} shared seeds {mean:+.2f} [{low:+.2f}, {high:+.2f}], untested"


def _table(one: Compared) -> Table:
    return Table(COLUMNS, [_row(one, c) for c in one.comparisons])


def _row(one: Compared, c: Comparison) -> list[Entry]:
    head = [f"{one.family.shown(c.name)} − {c.baseline}", number(c.n, "d")]
    if c.p is None:
        return [*head, *["–"] * 5, c.verdict, "–", "–"]
    new = one.new_items.get(c.name)
    # Two points are always on a line.
    correlation, gain = (c.pairing.correlation, c.pairing.gain) if c.n > 2 else (None, None)
    return [
        *head,
        signed(c.mean, c.low, c.high),
        f"[{c.family_low:+.2f}, {c.family_high:+.2f}]",
        f"[{new[0]:+.2f}, {new[1]:+.2f}]" if new else "–",
        number(c.p, ".2g") if c.can_reject else "too few seeds",
        number(c.equivalence_p, ".2g"),
        c.verdict,
        number(correlation),
        "–" if gain is None else Value(f"× {gain:.1f}", gain),
    ]
