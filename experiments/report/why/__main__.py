"""Why the paddings of a study differ: the results of the probes for all paddings, side by side.

    python -m experiments.report.why runs/<study> --model small_cnn --out <folder>

Reads the runs that were measured with `probes=all` and writes maps.png (one row per padding: how
often each pixel is read, accuracy by position, or which pixels of an image do not move along with a
shift, border response, position predicted from features, saliency; for the smallest seed), swap.png
(trained with one padding, tested with another; without those under which an image has fewer
pixels), probes.csv (one line per run) and probes.md (means over seeds).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from data.tasks import TASKS, TEST, Task
from experiments import terminal
from experiments.report.compare.reading import Cell, Record, read
from experiments.report.pages.pictures import canvas
from experiments.report.why.why_pictures import maps_picture, swap_picture
from experiments.run.record import files, tables
from experiments.study.plan import Plan

Path_ = tuple[str | int, ...]
Column = tuple[str, Path_, float, int]
# The columns for each padding: heading, path in results.json, factor, digits.
COLUMNS: tuple[Column, ...] = (
    ("circular shifts: lowest, %", ("probes", "position", "circular", "lowest"), 100, 1),
    ("highest, %", ("probes", "position", "circular", "highest"), 100, 1),
    ("consistency, circular, %", ("probes", "shift", "circular", "consistency"), 100, 1),
    ("consistency, filled, %", ("probes", "shift", "filled", "consistency"), 100, 1),
    ("same class after a shift, %", ("probes", "shift", "circular", "agreement"), 100, 1),
    ("change by a shift", ("probes", "shift", "circular", "change"), 1, 4),
    ("border pixels read, relative to the centre", ("probes", "foveation", "border"), 1, 3),
    ("position H, SPC", ("probes", "readout", "H", "spc"), 1, 2),
    ("position G, SPC", ("probes", "readout", "G", "spc"), 1, 2),
    ("saliency of the first ring", ("probes", "saliency", "ratio", 0), 1, 2),
    ("largest change before t", ("probes", "leak", "largest_change"), 1, 3),
)


def columns_of(task: Task) -> tuple[Column, ...]:
    """All columns: those whose unit is the task's, and the others.

    Under `same` the change of the measure, so that a fall of accuracy is negative.
    """
    digits = 2 if task.unit else 4
    unit = f", {task.unit}" if task.unit else ""
    by = ("probes", "swap", "under", "same", "fall")
    swapped = f"under same, {task.difference_unit or task.label}"
    tested = (f"test {task.label}{unit}", (f"{TEST}{task.measure}",), task.scale, digits)
    sign = -1 if task.higher_is_better else 1
    changed = (swapped, by, sign, 1 if task.unit == "%" else digits)
    return (tested, *COLUMNS[:-1], changed, COLUMNS[-1])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m experiments.report.why", description=__doc__)
    parser.add_argument("study", type=Path, help="a study's folder, such as runs/padding_x_model")
    parser.add_argument("--model", help="which of the study's networks; by default the first")
    parser.add_argument("--out", type=Path, help="folder to write to; by default <study>/why")
    options = parser.parse_args(arguments)
    measured = probed(options.study, options.model)
    if not measured:
        parser.error(
            f"{options.study} has no run{f' of {options.model}' if options.model else ''} "
            "with probes: python train.py evaluate=<run> probes=all adds them"
        )
    out = options.out or options.study / "why"
    out.mkdir(parents=True, exist_ok=True)
    firsts = {cell.label: next(iter(cell.records.values())) for cell in measured}
    arrays = {label: _arrays(options.study, record) for label, record in firsts.items()}
    results = {label: record.results for label, record in firsts.items()}
    pictures = {
        "maps.png": maps_picture(results, arrays),
        "swap.png": swap_picture(results, _task(measured[0])),
    }
    for name, figure in pictures.items():
        if figure is not None:
            files.write(out / name, canvas.png(figure))
    files.write_csv(out / "probes.csv", [_row(cell, r) for cell in measured for r in _runs(cell)])
    files.write(out / "probes.md", table(measured).encode())
    terminal.say(table(measured))
    terminal.say(f"written to {out}")
    return 0


def probed(study: Path, model: str | None) -> list[Cell]:
    """The study's cells of one model (the first if None) and one task, the first that it has.

    Only the runs that have probes are in them.
    """
    found = read(study, plan=Plan.read(study), brief=True).cells
    model = model or next((cell.config.model.name for cell in found), None)
    cells = [
        Cell(cell.name, cell.config, {r.seed: r for r in _runs(cell) if "probes" in r.results})
        for cell in found
        if cell.config.model.name == model
    ]
    cells = [cell for cell in cells if cell.records]
    return [cell for cell in cells if cell.config.task == cells[0].config.task]


def table(cells: list[Cell]) -> str:
    """A Markdown table, one row per padding: means over its runs, and sd if there are several."""
    known = columns_of(_task(cells[0]))
    columns = [column for column in known if any(_values(cell, column) for cell in cells)]
    rows = []
    for cell in cells:
        told = [_told(_values(cell, column), column[3]) for column in columns]
        rows.append(
            [tables.Marked(cell.label), len(cell.records), *told]
        )  # also printed in the terminal
    return tables.markdown(["padding", "n", *(heading for heading, *_ in columns)], rows) + "\n"


def _told(values: list[float], digits: int) -> str:
    if not values:
        return "–"
    spread = f" ({np.std(values, ddof=1):.{digits}f})" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def _runs(cell: Cell) -> list[Record]:
    return list(cell.records.values())


def _task(cell: Cell) -> Task:
    return TASKS[cell.config.task]


def _values(cell: Cell, column: Column) -> list[float]:
    _, path, factor, _ = column
    found = [_at(record.results, path) for record in _runs(cell)]
    return [factor * value for value in found if value is not None]


def _row(cell: Cell, record: Record) -> dict[str, Any]:
    named = {
        "/".join(map(str, path)).removeprefix("probes/"): _at(record.results, path)
        for _, path, *_ in columns_of(_task(cell))
    }
    return {"padding": cell.label, "cell": record.cell, "seed": record.seed, **named}


def _at(values: Any, path: Path_) -> Any:
    """The value at a path of nested values; None if there is none."""
    for key in path:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _arrays(study: Path, record: Record) -> dict[str, np.ndarray]:
    path = study / record.cell / f"seed={record.seed}" / "probes.npz"
    try:
        return files.read_npz(path)
    except FileNotFoundError:
        return {}
    except files.DamagedError as damage:
        terminal.complain(f"{damage}; its maps are left out")
        return {}


if __name__ == "__main__":
    sys.exit(terminal.call(main))
