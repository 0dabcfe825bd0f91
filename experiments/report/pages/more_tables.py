"""Declared contrasts, the same comparisons at other epochs, and what was tuned, as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.tasks.metrics import measured
from experiments.report.compare.contrasts import Contrasts
from experiments.report.compare.differences import Compared
from experiments.report.pages.document import (
    Block,
    Entry,
    Heading,
    Items,
    Paragraph,
    Table,
    Value,
    number,
)
from experiments.report.statistics.verdict import COVERS, Comparison
from experiments.study import tuning

COLUMNS = ("verdict", "sign-flip p", "the test")


@dataclass(frozen=True)
class Budget:
    """All comparisons once more, by the primary metric after another epoch."""

    metric: str
    compared: list[Compared]
    contrasts: Contrasts


def covers(unit: str) -> str:
    """The title of a column of differences."""
    return f"{unit or 'difference'} [{COVERS}]"


def of_contrasts(found: Contrasts, baseline: str) -> list[Block]:
    """The table of the declared contrasts."""
    if not found.comparisons and not found.left_out:
        return []
    k = found.comparisons[0].comparisons if found.comparisons else len(found.left_out)
    said = [f"{name}: no contrast, {why}" for name, why in found.left_out.items()]
    return [
        Heading("Contrasts"),
        Paragraph(
            f"What a padding does to one network or on one data set, less what it does to the "
            f"other: (padding − {baseline}) − (padding − {baseline}), paired by seed. All declared "
            f"contrasts ({k}) are decided together, by the rule of the comparisons."
        ),
        *([table_of(found)] if found.comparisons else []),
        *([Items([*said, *found.notes])] if said or found.notes else []),
    ]


def of_budgets(budgets: Sequence[Budget]) -> list[Block]:
    """The comparisons at every other tested epoch."""
    blocks: list[Block] = []
    for budget in budgets:
        rows = [
            [one.family.title, f"{one.family.shown(c.name)} − {c.baseline}", *_row(c)]
            for one in budget.compared
            for c in one.comparisons
        ]
        if not rows:
            continue
        unit = measured(budget.metric).difference_unit
        blocks += [
            Heading(f"At another epoch: {budget.metric}", 3),
            Paragraph(
                "The same runs after an earlier epoch, decided as if this had been the primary "
                "metric. A learning rate that decays, as by default, has not yet fallen there, so "
                "that this is not what a shorter training would give; at a constant rate it is."
            ),
            Table(["family", "comparison", "n", covers(unit), *COLUMNS], rows),
            *_not_compared(budget),
            *([table_of(budget.contrasts)] if budget.contrasts.comparisons else []),
        ]
    return blocks


def _not_compared(budget: Budget) -> list[Block]:
    """What an epoch's table lacks, and why: its runs may have ended before that epoch."""
    said = [
        f"{one.family.title}: {line}"
        for one in budget.compared
        for line in [
            *one.notes,
            *(f"{name} is not compared, {left.why}" for name, left in one.left_out.items()),
        ]
    ]
    return [Items(said)] if said else []


def of_tuning(record: Mapping[str, Any] | None, study: str) -> list[Block]:
    """How the tuned settings were chosen; nothing without a record."""
    if not record:
        return []
    declared = record["declared"]
    grid = "; ".join(f"{key}: {', '.join(map(str, v))}" for key, v in declared.items())
    wider = any(set(arm["grid"][k]) > set(v) for arm in record["arms"] for k, v in declared.items())
    widened = "; widened, because one was best at its edge" if wider else ""
    seeds = ", ".join(map(str, record["seeds"]))
    return [
        Heading("Tuned per padding"),
        Paragraph(
            f"Every arm has the value with the best mean on validation data over the seeds "
            f"{seeds}, which are not compared ({grid}{widened}). These runs are in the study "
            f"{study}-tuning and never computed the test split."
        ),
        Items([tuning.said(arm) for arm in record["arms"]]),
    ]


def table_of(found: Contrasts) -> Table:
    """One row for each contrast; there is at least one."""
    unit = found.comparisons[0].unit
    columns = ["contrast", "n", covers(unit), *COLUMNS]
    return Table(columns, [[c.name, *_row(c)] for c in found.comparisons])


def _row(c: Comparison) -> list[Entry]:
    if c.tied:
        return [number(c.n, "d"), "–", c.verdicts, "–", "–"]
    return [
        number(c.n, "d"),
        Value(c.interval, c.mean),
        c.verdicts,
        number(c.p, ".2g"),
        c.test or "–",
    ]
