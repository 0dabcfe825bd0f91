"""The padding benchmark's tables: as CSV and as Markdown, formulations in files of their own."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conf import device
from experiments import files
from experiments.benchmarks import command
from experiments.benchmarks.padding_cases import CONTROL, Case
from experiments.benchmarks.triplets import Measured

Row = dict[str, Any]
GOALS = {("tensorflow", "cpu"): 1.05, ("jax", "gpu"): 1.10}
MET, MISSED = "✓", "✗"
PAGES = {
    "padding": "What a padding costs: a training step's time over that under zeros",
    "formulations": "Formulations: a training step's time over that under zeros",
}


def goal(backend: str) -> float | None:
    """Return the goal for whole networks here, if there is one."""
    return GOALS.get((backend, device.find(backend).kind))


def facts(arguments: Sequence[str], versions: dict[str, str], how: str, backend: str) -> str:
    """What it takes to repeat the measurement, as a Markdown list."""
    return command.facts("padding", arguments, versions, how, backend)


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


def write(folder: Path, rows: Sequence[Row], facts: str, backend: str) -> list[Path]:
    """Write a page and a CSV for the padding, and for the formulations; returns the paths."""
    written: list[Path] = []
    for page, title in PAGES.items():
        of_page = [row for row in rows if (row["section"] == "formulations") == (page != "padding")]
        if not of_page:
            continue
        text = f"# {title}\n\n{facts}\n{tables(of_page, goal(backend))}"
        for suffix, content in ((".md", text.encode()), (".csv", None)):
            path = folder / f"{page}-{backend}{suffix}"
            if content is None:
                files.write_csv(path, of_page)
            else:
                files.write(path, content)
            written.append(path)
    return written


def tables(rows: Sequence[Row], aim: float | None) -> str:
    """A table for each group of cases: a line a variant, a column a case."""
    parts = []
    if aim and any(row["section"] == "models" for row in rows):
        parts.append(f"{MET} and {MISSED}: the median meets or misses the goal, {aim:.2f}.\n")
    for name in dict.fromkeys(row["table"] for row in rows):
        of_table = [row for row in rows if row["table"] == name]
        marked = aim if of_table[0]["section"] == "models" else None
        parts.append(f"## {name[0].upper()}{name[1:]}\n\n{table(of_table, marked)}")
    return "\n".join(parts)


def table(rows: Sequence[Row], aim: float | None) -> str:
    """One group's table; the first line of it says what a step under the reference takes."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    lines = [["*milliseconds of the reference*", *(_milliseconds(rows, case) for case in cases)]]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        cells = {row["case"]: cell(row, aim) for row in rows if row["variant"] == variant}
        lines.append([variant, *(cells.get(case, "–") for case in cases)])
    return command.markdown(["", *cases], lines)


def cell(row: Row, aim: float | None) -> str:
    """Median and quartiles, with a mark where there is a goal."""
    text = f"{row['ratio']:.2f} [{row['ratio_q1']:.2f}, {row['ratio_q3']:.2f}]"
    if aim is None or row["variant"] == CONTROL:
        return text
    return f"{text} {MET if row['ratio'] <= aim else MISSED}"


def _milliseconds(rows: Sequence[Row], case: str) -> str:
    """All of a case's measurements of the reference; every variant has its own neighbours."""
    times = [row["its_milliseconds"] for row in rows if row["case"] == case]
    return f"{statistics.median(times):.1f}"
