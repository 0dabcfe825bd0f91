"""The content of a report: cells, comparisons and missing runs as blocks of a document."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.tasks.metrics import measured
from experiments.report.compare.conclusion import conclusion
from experiments.report.compare.contrasts import Contrasts
from experiments.report.compare.differences import Compared, Declared
from experiments.report.compare.families import Family
from experiments.report.compare.next_look import next_looks, next_minutes
from experiments.report.compare.reading import Study
from experiments.report.compare.remarks import remarks
from experiments.report.pages import descriptive, image_border, more_tables, origins
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
)
from experiments.report.pages.more_tables import Budget, covers
from experiments.report.pages.pictures import forest
from experiments.report.statistics.family import smallest_p
from experiments.report.statistics.looks import levels
from experiments.report.statistics.numbers import exactly, signed
from experiments.report.statistics.verdict import CANNOT, COVERS, OVER_NEW_IMAGES, Comparison
from experiments.study.seed_order import joined

FIRST = ("differences", "contrasts", "border", "accuracy")  # pictures before all tables


@dataclass(frozen=True)
class Report:
    """The data from which a report is written."""

    study: Study
    declared: Declared
    compared: list[Compared]
    contrasts: Contrasts = field(default_factory=Contrasts)
    budgets: list[Budget] = field(default_factory=list)
    tuned: Mapping[str, Any] | None = None

    @property
    def families(self) -> list[Family]:
        return [one.family for one in self.compared]


def blocks(report: Report, pictures: Sequence[Picture]) -> list[Block]:
    """The whole report: what was compared first, measured times at the end."""
    first = [picture for picture in pictures if picture.name.partition("-")[0] in FIRST]
    return [
        Heading(report.study.path.name, 1),
        *_opening(report),
        *first,
        *_gaps(report.study),
        *comparisons(report),
        *more_tables.of_contrasts(report.contrasts, report.declared.baseline),
        *descriptive.of_cells(report.compared, report.declared.metric),
        *(picture for picture in pictures if picture not in first),
        *more_tables.of_budgets(report.budgets),
        *more_tables.of_tuning(report.tuned, report.study.path.name),
        *image_border.blocks(report.compared),
        *descriptive.blocks(report.compared, report.declared.metric),
        *origins.blocks(report.study),
        *_next_minutes(report),
    ]


def tables(report: Report) -> dict[str, Table]:
    """The tables of cells, of comparisons and of contrasts, by name."""
    unit = measured(report.declared.metric).difference_unit
    compared = {
        f"against_{report.declared.baseline}/{one.family.title}": _table(one, unit)
        for one in report.compared
        if one.comparisons
    }
    found = report.contrasts
    crossed = {"contrasts": more_tables.table_of(found)} if found.comparisons else {}
    cells = descriptive.cells(report.compared, report.declared.metric)
    return {"cells": cells, **compared, **crossed}


def drawn(one: Compared, metric: str) -> tuple[float | None, dict[str, tuple[float, float]]]:
    """The baseline's mean over the seeds of the verdict, and padding -> the deciding interval."""
    if one.baseline is None or not one.seeds:
        return None, {}
    base = one.family.cells[one.baseline].points(metric)
    return statistics.mean(base[seed] for seed in one.seeds), {
        c.name: (c.low, c.high) for c in one.comparisons if c.low is not None and c.high is not None
    }


def _opening(report: Report) -> list[Block]:
    study, declared = report.study, report.declared
    asked = study.plan.declared.question if study.plan else None
    told = exactly(declared.margin, measured(declared.metric).difference_unit)
    less = "" if measured(declared.metric).higher_is_better else "of which less is better, "
    how = (
        f"Baseline {declared.baseline}, primary metric {declared.metric}, {less}equivalence margin "
        f"{told} (smaller differences are negligible)"
    )
    if declared.afterwards:
        chosen = " and ".join(declared.afterwards)
        how += f"; the {chosen} chosen afterwards, when the runs were complete"
        was = [f"{n} {getattr(study.plan.declared, n)}" for n in declared.afterwards if study.plan]
        how += f" (declared: {', '.join(was)})" if was else ""
    elif study.plan and all(cell.declared for cell in study.plan.cells.values()):
        how += ": declared before the first of the compared runs"
        if any(joined(study.plan, one.family.starts()) for one in report.compared):
            how += ", but for what joined later and is named below"
    elif study.plan:
        how += ": declared in the study's plan, which does not say when"
    else:
        how += ": the defaults, because nothing was declared"
    lines = [Paragraph(asked)] if asked else []
    lines.append(Paragraph(f"{how}. All other metrics are described, not tested."))
    if looks := declared.looks:
        planned = ", ".join(map(str, looks))
        at = ", ".join(f"{level:.3g}" for level in levels(looks))
        lines.append(Paragraph(f"Looks at {planned} seeds, at the levels {at}."))
    lines += [Paragraph(line) for line in next_looks(study, report.compared, report.contrasts)]
    if study.plan:
        missing = sum(run.planned for run in study.absent)
        lines.append(
            Paragraph(f"{study.planned - missing} of {study.planned} planned runs are complete.")
        )
    return [*lines]


def _next_minutes(report: Report) -> list[Block]:
    """How long the next look takes; a measured time, as those above it."""
    minutes = next_minutes(report.study, report.compared, report.contrasts)
    told = f"By these times, the next look takes about {minutes}, one run at a time."
    return [Paragraph(told)] if minutes else []


def _gaps(study: Study) -> list[Block]:
    """The runs that are not in the report, and why."""
    found: list[Block] = []
    if study.absent:
        found += [Heading("Missing runs"), Items(gaps(study))]
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


def gaps(study: Study) -> list[str]:
    """The runs that are not in the report: a line for the seeds of a cell with one reason."""
    lines: dict[tuple[str, str, str], list[int]] = {}
    for run in study.absent:
        unasked = " (not planned)" if study.plan and not run.planned else ""
        lines.setdefault((run.cell, unasked, run.why), []).append(run.seed)
    return [
        f"{cell}, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}{unasked}: {why}"
        for (cell, unasked, why), seeds in lines.items()
    ]


def notes(one: Compared, metric: str) -> list[str]:
    """A family's result in words, what its brackets are, and which runs are not part of it."""
    if not one.comparisons:
        return one.notes
    k, n = one.comparisons[0].comparisons, len(one.seeds)
    looks = ", ".join(str(look) for look in one.looks if look <= n) if len(one.looks) > 1 else n
    count = f"{k} comparison{'s' * (k > 1)}, look{'s' * (',' in str(looks))} at {looks} seeds"
    if not looks:
        count = f"{k} comparison{'s' * (k > 1)}, no look before {one.looks[0]} seeds"
    words = conclusion(one, metric)
    said = [*([words] if words else []), f"brackets: {COVERS} ({count})", *one.notes]
    if any(c.test == CANNOT for c in one.comparisons):
        least = f"{smallest_p(n):.2g}"
        said.append(
            f"{n} seeds cannot reach the level of the sign-flip test: p is at least {least}"
        )
    return said


COLUMNS = (
    "verdict",
    "over new test images",
    "sign-flip test",
    "correlation",
    "pairing gained",
)


def comparisons(report: Report) -> list[Block]:
    """The comparisons of every family: its notes, a table, and what is not compared."""
    found: list[Block] = []
    unit = measured(report.declared.metric).difference_unit
    for one in report.compared:
        said = remarks(one.family, report.declared.metric)
        if not one.comparisons and not one.left_out and not said:
            continue
        found.append(Heading(one.family.title, 3))
        if said:
            found.append(Items(said))
        if lines := notes(one, report.declared.metric):
            found.append(Items(lines))
        if one.comparisons:
            found.append(_table(one, unit))
        if one.left_out:
            found.append(Items([left_out(one, name, unit) for name in one.left_out]))
    if not found:
        return []
    values = "accuracies" if measured(report.declared.metric).unit == "%" else "values"
    tuned = {family.tuned_words for family in report.families} - {""}
    apart = (
        f"the padding and in what was tuned for each ({', '.join(tuned)})"
        if tuned
        else "the padding"
    )
    return [
        Heading(f"Against {report.declared.baseline}"),
        Paragraph(
            f"Differences{f' in {unit}' * bool(unit)}, paired by seed, within each family: the "
            f"cells that differ only in {apart}. One interval decides: {COVERS} of a family "
            "(Student's t at Bonferroni's level, over new seeds on these test images). Zero "
            "outside: differs; "
            f"all within ±{report.declared.margin:g}: equivalent within the margin. Sign-flip "
            "test: the exact max-T test of the family, which stands beside it and changes no "
            f"verdict. {OVER_NEW_IMAGES} "
            f"Correlation: between the two {values} over seeds. "
            "Pairing gained: how many times as many seeds an unpaired study would need for an "
            "interval of the same width."
        ),
        *found,
    ]


def left_out(one: Compared, name: str, unit: str) -> str:
    """Why a cell is not compared, and its mean difference if possible."""
    found = one.left_out[name]
    said = f"{one.family.shown(name)}: not compared, {found.why}"
    if found.difference is None:
        return said
    n, mean = found.difference
    return f"{said}; over {n} shared seed{'s' * (n > 1)} {signed(mean, unit)}, without a verdict"


def _table(one: Compared, unit: str) -> Table:
    return Table(
        ["comparison", "n", covers(unit), *COLUMNS], [_row(one, c, unit) for c in one.comparisons]
    )


def _row(one: Compared, c: Comparison, unit: str) -> list[Entry]:
    numbers, _ = forest.told(one, c.name, unit)
    new = c.over_new_images
    # Two points are always on a line.
    correlation, gain = (c.pairing.correlation, c.pairing.gain) if c.n > 2 else (None, None)
    if c.tied:  # nothing varies
        new = correlation = gain = None
    return [
        f"{one.family.shown(c.name)} − {c.baseline}{one.family.chosen(c.baseline)}",
        number(c.n, "d"),
        Value(numbers, c.mean),
        c.verdict,
        f"{new.interval} {'the same' if c.agreed else new.decided}" if new else "–",
        "–" if c.p is None else Value(f"p={c.p:.2g}: {c.test} at {c.level:.3g}", c.p),
        number(correlation),
        "–" if gain is None else Value(f"× {gain:.1f}", gain),
    ]
