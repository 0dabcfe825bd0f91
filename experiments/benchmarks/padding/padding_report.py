"""The padding benchmark's tables: as CSV and as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conf import device
from experiments.benchmarks import options
from experiments.benchmarks.padding.padding_cases import CONTROL, Case
from experiments.benchmarks.padding.triplets import Measured
from experiments.report.pages.document import Block, Heading, Items, Paragraph, Table
from experiments.run.record.tables import Marked

Row = dict[str, Any]
GOALS = {("tensorflow", "cpu"): 1.05, ("jax", "gpu"): 1.10}
MET, MISSED = "✓", "✗"
TITLE = "What a padding costs: a training step's time over that under zeros"


def goal(backend: str) -> float | None:
    """Return the goal for whole networks on this back end, if there is one."""
    return GOALS.get((backend, device.find(backend).kind))


def rows(case: Case, steps: int, measured: Mapping[str, Measured]) -> list[Row]:
    """One row for each variant."""
    found = []
    for label, one in measured.items():
        low, middle, high = one.quartiles()
        found.append(
            {
                "section": case.section,
                "table": case.table,
                "case": case.name,
                "batch": case.shape[0],
                "variant": label,
                "compared_with": case.reference.label,
                "steps": steps,
                "rounds": len(one.seconds),
                "milliseconds": round(1000 * statistics.median(one.seconds), 3),
                "its_milliseconds": round(1000 * statistics.median(one.beside), 3),
                "ratio": round(middle, 3),
                "ratio_q1": round(low, 3),
                "ratio_q3": round(high, 3),
            }
        )
    return found


def write(folder: Path, rows: Sequence[Row], facts: Items, backend: str) -> list[Path]:
    """Write the page and its CSV; returns the paths."""
    found = tables(rows, goal(backend))
    return options.write(folder / f"padding-{backend}", TITLE, rows, facts, *found)


def tables(rows: Sequence[Row], aim: float | None) -> list[Block]:
    """One table per group of cases: one line per variant, one column per case."""
    found: list[Block] = []
    if aim and any(row["section"] == "models" for row in rows):
        said = f"{MET} and {MISSED}: the median meets or misses the goal, {aim:.2f}."
        found.append(Paragraph(said))
    for name in dict.fromkeys(row["table"] for row in rows):
        of_table = [row for row in rows if row["table"] == name]
        marked = aim if of_table[0]["section"] == "models" else None
        found += [Heading(f"{name[0].upper()}{name[1:]}"), table(of_table, marked)]
    return found


def table(rows: Sequence[Row], aim: float | None) -> Table:
    """The table of one group; its first line has the time of a step under the reference."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    reference = Marked("*milliseconds of the reference*")
    lines: list[list[str]] = [[reference, *(_milliseconds(rows, case) for case in cases)]]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        cells = {row["case"]: cell(row, aim) for row in rows if row["variant"] == variant}
        lines.append([variant, *(cells.get(case, "–") for case in cases)])
    return Table(["", *cases], lines, right=range(1, len(cases) + 1))


def cell(row: Row, aim: float | None) -> str:
    """Median and quartiles, with a mark if there is a goal."""
    text = f"{row['ratio']:.2f} [{row['ratio_q1']:.2f}, {row['ratio_q3']:.2f}]"
    if aim is None or row["variant"] == CONTROL:
        return text
    return f"{text} {MET if row['ratio'] <= aim else MISSED}"


def _milliseconds(rows: Sequence[Row], case: str) -> str:
    """The reference's time in all measurements of a case; each variant has its own."""
    times = [row["its_milliseconds"] for row in rows if row["case"] == case]
    return f"{statistics.median(times):.1f}"
