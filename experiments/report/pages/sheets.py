"""A report's numbers as CSV files: one line per run, per comparison, per epoch.

Measured times are in a separate file, so that all others are the same bytes whenever the same runs
are reported, or trained again on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data.tasks import TASKS, TEST, VALIDATION
from data.tasks.metrics import measured
from experiments.report.compare import correct
from experiments.report.compare.contrasts import Contrasts
from experiments.report.compare.differences import Compared
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell, Record
from experiments.report.pages import image_border
from experiments.report.pages.content import Report
from experiments.report.statistics.verdict import Comparison

Row = dict[str, Any]
COUNTED = ("epochs", "tested_epoch", "parameters", "macs")
TIMED = ("step_ms", "images_per_second", "setup_seconds", "train_seconds")
COMPARED = (
    *("n", "comparisons", "mean", "low", "high", "margin", "verdict", "p", "step_down_p"),
    *("level", "sign_flip"),
    *("new_items_low", "new_items_high", "new_items_verdict"),
    *("correlation", "pairing_gain", "not_compared"),
)


def sheets(report: Report) -> dict[str, list[Row]]:
    """File name -> its rows; a file without rows is left out."""
    every = [
        (family, name, record)
        for family in report.families
        for name, cell in family.cells.items()
        for record in cell.records.values()
    ]
    metrics = [report.declared.metric, *(budget.metric for budget in report.budgets)]
    found = {
        "runs.csv": [_run(*one, metrics) for one in every],
        "differences.csv": [row for one in report.compared for row in comparisons(one)],
        "contrasts.csv": contrasts(report.contrasts),
        "differences_at.csv": [
            {"metric": budget.metric, **row}
            for budget in report.budgets
            for one in budget.compared
            if one.comparisons  # not every family is tested after the same epochs
            for row in comparisons(one)
        ],
        "contrasts_at.csv": [
            {"metric": budget.metric, **row}
            for budget in report.budgets
            for row in contrasts(budget.contrasts)
        ],
        "curves.csv": [row for _, _, record in every for row in _epochs(record)],
        "border.csv": image_border.rows(every),
        "correct.csv": correct.rows(record for _, _, record in every),
        "timings.csv": [_times(record) for _, _, record in every],
    }
    return {name: rows for name, rows in found.items() if rows}


def _run(family: Family, name: str, record: Record, metrics: Sequence[str]) -> Row:
    start = record.starts[-1]
    config, results = record.config, record.results
    measure = TASKS[config.task].measure
    tested = f"{TEST}{measure}"
    return {
        "cell": record.cell,
        "model": family.model,
        "padding": config.padding.label,
        "aliases": " ".join(family.cells[name].aliases),
        "data": family.data,
        "family": family.title,
        "examples": config.data.examples,
        "seed": record.seed,
        tested: results[tested],
        **{metric: _share(record, metric) for metric in metrics if metric != tested},
        f"{VALIDATION}{measure}": results.get(f"{VALIDATION}{measure}"),
        **{key: results.get(key) for key in COUNTED},
        "final_map_size": "x".join(map(str, results.get("final_map_size", ()))),
        "backend": config.backend,
        "precision": start.get("precision"),
        "device": start.get("device"),
        "threads": start.get("threads"),
        "source_hash": start.get("source_hash"),
        "fingerprint": record.fingerprint,
        "commit": (start.get("git") or "")[:12],
    }


def _share(record: Record, metric: str) -> float | None:
    points = record.points(metric)
    return None if points is None else points / measured(metric).scale


def comparisons(one: Compared) -> list[Row]:
    """One row for each cell but the baseline: its comparison, or why there is none."""
    rows = []
    for name, cell in one.family.cells.items():
        if name == one.baseline:
            continue
        row = {
            "model": one.family.model,
            "data": one.family.data,
            "family": one.family.title,
            "cell": name,
            "aliases": " ".join(cell.aliases),
            "baseline": one.baseline,
        }
        rows.append(row | _compared(one, name, cell))
    return rows


def _compared(one: Compared, name: str, cell: Cell) -> Row:
    row: Row = dict.fromkeys(COMPARED)
    comparison = one.of(name)
    if comparison is None:
        return row | {"n": len(cell.records), "not_compared": one.left_out[name].why}
    return row | {
        **_decided(comparison),
        "correlation": comparison.pairing.correlation,
        "pairing_gain": comparison.pairing.gain,
        "not_compared": comparison.why or None,
    }


def contrasts(found: Contrasts) -> list[Row]:
    """One row for each contrast."""
    return [{"contrast": c.name, **_decided(c)} for c in found.comparisons]


def _decided(c: Comparison) -> Row:
    new = c.over_new_images
    plain = ("n", "comparisons", "mean", "low", "high", "margin", "verdict", "p", "step_down_p")
    return {
        **{key: getattr(c, key) for key in plain},
        "level": c.level,
        "sign_flip": c.test,
        "new_items_low": new and new.low,
        "new_items_high": new and new.high,
        "new_items_verdict": new and new.decided,
    }


def _epochs(record: Record) -> list[Row]:
    place = {"cell": record.cell, "seed": record.seed}
    names = ("loss", TASKS[record.config.task].measure)
    learned = (*names, *(f"{VALIDATION}{name}" for name in names), "learning_rate")
    return [
        {**place, "epoch": int(row["epoch"]), **{key: row.get(key) for key in learned}}
        for row in record.curve
    ]


def _times(record: Record) -> Row:
    timed = {key: record.results.get(key) for key in TIMED}
    last = record.starts[-1].get("time")
    return {"cell": record.cell, "seed": record.seed, **timed, "last_start": last}
